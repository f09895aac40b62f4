# How this project builds: one static library per folder, one test program per test folder.
# A new .cpp file is found by itself; a new folder needs one line in its parent's CMakeLists.txt.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # what clang finds more, nobody has mended yet
  add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
  # g++ 12 reports false positives in these two when it inlines std::string and std::variant.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-missing-field-initializers)
  # Templates fill a gigabyte here; collecting it before is a sixth of the time of a build.
  add_compile_options("SHELL:--param ggc-min-heapsize=1000000")
endif()
include_directories(${PROJECT_SOURCE_DIR})
if(LEPTON_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")  # half the time of -O2 to build, fast enough to run
  # A null pointer ends the program anyway, nothing is cast to what must be aligned: without these
  # two checks of every access a build takes two thirds of its time.
  add_compile_options(-fsanitize=${LEPTON_SANITIZE} -fno-sanitize=null,alignment
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LEPTON_SANITIZE})
endif()
# Mistakes for scripts/planted to find (common/base/planted.hpp); never in what is installed.
option(LEPTON_PLANTED "Compile the planted bugs in" OFF)
if(LEPTON_PLANTED)
  add_compile_definitions(LEPTON_PLANTED)
endif()
# The fuzz targets (tests/fuzz) under libFuzzer, which guides them by coverage; with clang 19, since
# 14 and 16 crash on this code.
option(LEPTON_FUZZ "Fuzz targets under libFuzzer" OFF)
if(LEPTON_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# Hardening, on in every build: control-flow, stack and library checks cost a few percent at most.
add_compile_options(-fstack-protector-strong -D_GLIBCXX_ASSERTIONS)

# lepton_library(NAME [DEPS ...]): all .cpp files of the calling folder, not of its sub-folders.
function(lepton_library name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# lepton_test(NAME DEPS ...): all .cpp files of the calling folder as one GoogleTest program.
function(lepton_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(LEPTON_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 6")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} gtest gtest_main rapidcheck Threads::Threads)
  # A fifth less to build; what they measure or repeat is in the product's libraries.
  target_compile_options(${name} PRIVATE -O1)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
