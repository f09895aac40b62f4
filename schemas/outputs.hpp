#pragma once
// Messages about the outputs of ended tasks: what a task left in $LEPTON_OUTPUT_DIR. They stay on
// the node that ran it and travel through the deployer in verified parts. The deployer owns and
// serves these messages. Sizes in bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"

namespace lepton {

struct OutputFile {
  std::string path;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  bool executable = false;

  bool operator==(OutputFile const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = OutputFile;
    return schema::fields(
        field(1, "path", &T::path, "Below the output folder, parts joined by '/'."),
        field(2, "size", &T::size, "Bytes."),
        field(3, "modified_ns", &T::modified_ns, "Last change, ns since 1970."),
        field(4, "executable", &T::executable, "Its owner may run it."));
  }
};
static_assert(schema::complete<OutputFile>());
struct OutputPage {
  AttemptId attempt;
  std::vector<OutputFile> files;
  bool complete = true;
  std::uint32_t passed_over = 0;

  static consteval auto fields() {
    using schema::field;
    using T = OutputPage;
    return schema::fields(
        field(1, "attempt", &T::attempt, "The attempt whose outputs these are."),
        field(2, "files", &T::files, "By path."),
        field(3, "complete", &T::complete, "Nothing comes after the last of these."),
        field(4, "passed_over", &T::passed_over,
              "Links, devices and files of other users or with unusable names, in all."));
  }
};
static_assert(schema::complete<OutputPage>());
struct JobOutputs {
  static constexpr std::string_view topic = "deployer.job.outputs";
  static constexpr Verb verb = Verb::read;
  using Reply = OutputPage;
  JobId job;
  std::uint32_t task = 0;
  std::string after;

  static consteval auto fields() {
    using schema::field;
    using T = JobOutputs;
    return schema::fields(field(1, "job", &T::job, "As in JobShow."),
                          field(2, "task", &T::task, "Index of the task."),
                          field(3, "after", &T::after, "Only paths after this one."));
  }
};
static_assert(schema::complete<JobOutputs>());
struct OutputChunk {
  Bytes data;
  Bytes hash;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;

  static consteval auto fields() {
    using schema::field;
    using T = OutputChunk;
    return schema::fields(
        field(1, "data", &T::data, "The bytes from the offset."),
        field(2, "hash", &T::hash, "SHA-256 of the data, as read on the node."),
        field(3, "size", &T::size, "Of the whole file, bytes."),
        field(4, "modified_ns", &T::modified_ns, "Last change of the file, ns since 1970."));
  }
};
static_assert(schema::complete<OutputChunk>());
struct JobOutputRead {
  static constexpr std::string_view topic = "deployer.job.output_read";
  static constexpr Verb verb = Verb::read;
  using Reply = OutputChunk;
  JobId job;
  std::uint32_t task = 0;
  AttemptId attempt;
  std::string path;
  std::int64_t offset = 0;
  std::uint32_t limit = 1'048'576;

  static consteval auto fields() {
    using schema::field;
    using T = JobOutputRead;
    return schema::fields(
        field(1, "job", &T::job, "As in JobShow."),
        field(2, "task", &T::task, "Index of the task."),
        field(3, "attempt", &T::attempt, "As listed: another attempt has other files."),
        field(4, "path", &T::path, "As listed."),
        field(5, "offset", &T::offset, "From which byte.").bounds(0, 1e15),
        field(6, "limit", &T::limit, "At most so many bytes.").bounds(1, 1'048'576));
  }
};
static_assert(schema::complete<JobOutputRead>());
// To a node, with the answer of its sync. An empty path asks for the list.
struct OutputOrder {
  std::uint64_t ticket = 0;
  AttemptId attempt;
  std::string path;
  std::string after;
  std::int64_t offset = 0;
  std::uint32_t limit = 0;

  static consteval auto fields() {
    using schema::field;
    using T = OutputOrder;
    return schema::fields(field(1, "ticket", &T::ticket, "Returned with the part."),
                          field(2, "attempt", &T::attempt, "Whose outputs."),
                          field(3, "path", &T::path, "Of a file; empty: the list."),
                          field(4, "after", &T::after, "Of the list: only paths after this one."),
                          field(5, "offset", &T::offset, "Of the file: from which byte."),
                          field(6, "limit", &T::limit, "Of the file: at most so many bytes."));
  }
};
static_assert(schema::complete<OutputOrder>());
struct OutputPart {
  std::uint64_t ticket = 0;
  Code refused = Code::unknown;
  std::string why;
  OutputPage page;
  OutputChunk chunk;

  static consteval auto fields() {
    using schema::field;
    using T = OutputPart;
    return schema::fields(field(1, "ticket", &T::ticket, "Of the order."),
                          field(2, "refused", &T::refused, "Why not; unknown: it was done."),
                          field(3, "why", &T::why, "The same for people."),
                          field(4, "page", &T::page, "Of a list."),
                          field(5, "chunk", &T::chunk, "Of a file."));
  }
};
static_assert(schema::complete<OutputPart>());
}  // namespace lepton
