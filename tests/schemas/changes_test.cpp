// Version N beside N+1, for every message: what a newer sender adds is passed over, what an older
// one does not know yet may be missing, and nothing else may.

#include <gtest/gtest.h>

#include "common/codec/msgpack.hpp"
#include "headers.inc"
#include "tests/schemas/filled.hpp"

namespace lepton {
namespace {

constexpr std::uint64_t newer_id = 9'999;

template <class M, class F>
void write_field(codec::Writer& writer, M const& message, F const& field) {
  writer.put_unsigned(static_cast<std::uint64_t>(field.id));
  writer.write(message.*field.member);
}

// As version N+1 sends it, with one field more.
template <class M>
std::string from_newer(M const& message) {
  std::string out;
  codec::Writer writer(out);
  writer.map(schema::field_count<M> + 1);
  schema::each<M>([&](auto const& f) { write_field(writer, message, f); });
  writer.put_unsigned(newer_id);
  writer.write(std::vector<std::string>{"what", "nobody", "knows"});
  return out;
}

template <class M>
std::string without(M const& message, int id) {
  std::string out;
  codec::Writer writer(out);
  writer.map(schema::field_count<M> - 1);
  schema::each<M>([&](auto const& f) {
    if (f.id != id) write_field(writer, message, f);
  });
  return out;
}

template <class M>
void check_message(char const* name) {
  SCOPED_TRACE(name);
  auto const message = test::filled<M>();
  auto const own = codec::encode(message);
  auto const read = codec::decode<M>(from_newer(message));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(codec::encode(*read), own);
  schema::each<M>([&](auto const& f) {
    auto const older = codec::decode<M>(without(message, f.id));
    EXPECT_EQ(bool(older), f.since_version > 0) << f.name;
    auto const why = older ? std::string(f.name) : older.error().what;
    EXPECT_NE(why.find(f.name), std::string::npos) << f.name;
  });
}

TEST(Changes, NewerFieldsArePassedOverAndOnlyMarkedOnesMayBeMissing) {
#define LEPTON_MESSAGE(M) check_message<M>(#M);
#include "messages.inc"
#undef LEPTON_MESSAGE
}

}  // namespace
}  // namespace lepton
