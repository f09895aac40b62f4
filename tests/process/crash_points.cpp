// Kills the process at a named point of its work, the n-th time it gets there: loaded before a
// service (LD_PRELOAD), it stands between the service and libpq and libzmq, so that the programs
// themselves need no hooks. injected.py asks for a point by a file `PROGRAM` in LEPTON_POINTS that
// holds "NAME N"; the file goes when the point is reached, so that the next life passes.
//
//   before_commit  the transaction is written, its end has not been sent
//   after_commit   PostgreSQL has confirmed it, and nobody in the service knows yet
//   before_send    a message is ready for a socket
//   after_send     the socket has taken it
//
// Any thread of the service.

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

struct pg_conn;
struct pg_result;
struct zmq_msg_t;
extern "C" char* PQcmdStatus(pg_result*);

namespace {

struct Order {
  char path[512] = "";
  char point[32] = "";
  int left = 0;
};

std::mutex mutex;
Order order;

// An order whose file is gone was taken back.
bool has_order() {
  if (order.left > 0 && access(order.path, F_OK) == 0) return true;
  order.left = 0;
  auto const* folder = std::getenv("LEPTON_POINTS");
  if (folder == nullptr) return false;
  std::snprintf(order.path, sizeof order.path, "%s/%s", folder, program_invocation_short_name);
  auto* file = std::fopen(order.path, "re");
  if (file == nullptr) return false;
  if (std::fscanf(file, "%31s %d", order.point, &order.left) != 2) order.left = 0;
  std::fclose(file);
  return order.left > 0;
}

void reach(char const* point) {
  std::lock_guard const lock(mutex);
  if (!has_order() || std::strcmp(order.point, point) != 0 || --order.left > 0) return;
  unlink(order.path);
  kill(getpid(), SIGKILL);
}

template <class Function>
Function next(Function, char const* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int PQpipelineSync(pg_conn* connection) {
  reach("before_commit");
  static auto const real = next(&PQpipelineSync, "PQpipelineSync");
  return real(connection);
}

int PQsendQuery(pg_conn* connection, char const* text) {
  if (std::strstr(text, "; COMMIT") != nullptr) reach("before_commit");
  static auto const real = next(&PQsendQuery, "PQsendQuery");
  return real(connection, text);
}

pg_result* PQgetResult(pg_conn* connection) {
  static auto const real = next(&PQgetResult, "PQgetResult");
  auto* const result = real(connection);
  if (result != nullptr && std::strcmp(PQcmdStatus(result), "COMMIT") == 0) reach("after_commit");
  return result;
}

int zmq_msg_send(zmq_msg_t* message, void* socket, int flags) {
  reach("before_send");
  static auto const real = next(&zmq_msg_send, "zmq_msg_send");
  auto const sent = real(message, socket, flags);
  if (sent >= 0) reach("after_send");
  return sent;
}
}
