// A bare ROUTER of libzmq with its defaults: listens at argv[1], writes the text of each message as
// a line of the file argv[2] up to its first dot, reads argv[3] messages (-1: all), then none.
// Prints "ready" once it listens. Ends with its parent.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc != 4) return 2;
  auto* const socket = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
  if (zmq_bind(socket, argv[1]) != 0) return std::fprintf(stderr, "%s\n", zmq_strerror(errno)), 2;
  int const fd = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::puts("ready");
  std::fflush(stdout);
  for (int left = std::atoi(argv[3]); left != 0; --left) {
    char text[256];
    zmq_recv(socket, text, sizeof(text), 0);  // the routing id
    int const size = zmq_recv(socket, text, sizeof(text), 0);
    if (size < 0 || size > int(sizeof(text))) return 3;
    auto line = std::string(text, std::size_t(size));
    line = line.substr(0, line.find('.')) + "\n";
    if (::write(fd, line.data(), line.size()) != ssize_t(line.size())) return 3;
  }
  while (true) ::pause();
}
