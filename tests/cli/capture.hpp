#pragma once
// A shell whose data and messages are kept in memory, and a folder that ends with the test. One
// thread.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "cli/shell.hpp"

namespace lepton::cli {

class Capture {
 public:
  Capture() {
    shell.out = ::open_memstream(&out_, &out_size_);
    shell.err = ::open_memstream(&err_, &err_size_);
  }
  ~Capture() {
    std::fclose(shell.out);
    std::fclose(shell.err);
    std::free(out_);
    std::free(err_);
  }
  Capture(Capture const&) = delete;
  Capture& operator=(Capture const&) = delete;

  std::string out() { return std::fflush(shell.out), std::string(out_, out_size_); }
  std::string err() { return std::fflush(shell.err), std::string(err_, err_size_); }

  Shell shell;

 private:
  char* out_ = nullptr;
  char* err_ = nullptr;
  std::size_t out_size_ = 0;
  std::size_t err_size_ = 0;
};

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/lepton-cli-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string path;
};

}  // namespace lepton::cli
