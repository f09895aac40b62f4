// Writes a seed for each message of this version, filled, into the folder: corpus/messages.
// usage: seed_messages FOLDER

#include <cstdio>
#include <fstream>

#include "common/codec/msgpack.hpp"
#include "headers.inc"
#include "tests/fuzz/message_key.hpp"
#include "tests/schemas/filled.hpp"

namespace {

template <class M>
bool write_seed(std::string const& folder, std::string const& name) {
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file << lepton::fuzz::key_text(lepton::fuzz::message_key(name))
       << lepton::codec::encode(lepton::test::filled<M>());
  return bool(file.flush());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace lepton;
  bool good = argc == 2;
#define LEPTON_MESSAGE(M) good = good && write_seed<M>(argv[1], #M);
#include "messages.inc"
#undef LEPTON_MESSAGE
  if (!good) std::fprintf(stderr, "usage: seed_messages FOLDER, which must exist\n");
  return good ? 0 : 1;
}
