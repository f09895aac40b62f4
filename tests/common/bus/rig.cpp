#include "tests/common/bus/rig.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>
#include <csignal>
#include <fstream>

#include "common/bus/frames.hpp"

extern char** environ;

namespace lepton::bus::rig {

KeyPair keys() {
  crypto::SystemEntropy entropy;
  return create_keys(entropy);
}

// Below the range from which the kernel takes ports by itself, so that no connection of another
// program comes in between; processes begin at different places.
std::string free_tcp() {
  constexpr int first = 10'000, count = 10'000;
  static int next = static_cast<int>(getpid()) % 100 * 97;
  for (int tries = 0; tries < count; ++tries) {
    auto const port = first + next++ % count;
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto const bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::close(fd);
    if (bound == 0) return "tcp://127.0.0.1:" + std::to_string(port);
  }
  ADD_FAILURE() << "no free port";
  return "";
}

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "bus-XXXXXX";
  path_ = ::mkdtemp(name.data());
}
Folder::~Folder() {
  std::filesystem::remove_all(path_);
}

void Recorder::on_request(actor::Door door, std::string key, actor::Route route, Header header,
                          std::string body) {
  requests.push_back({door, std::move(key), std::move(route), std::move(header), std::move(body)});
  if (!echo) return;
  auto answer = requests.back().header;
  answer.kind = Kind::reply;
  echo->answer(requests.back().route, answer, requests.back().body);
}
void Recorder::on_answer(std::string const& peer, Header header, std::string body) {
  answers.push_back({peer, std::move(header), std::move(body)});
}
void Recorder::on_hint(std::string const&, Hint hint) {
  hints.push_back(std::move(hint));
}

void Node::answer(Recorder::Request const& request, std::string const& body, Kind kind) {
  auto header = request.header;
  header.kind = kind;
  bus->answer(request.route, header, body);
}

std::unique_ptr<Node> open(BusSettings settings) {
  auto bus = Bus::open(std::move(settings));
  if (!bus) {
    ADD_FAILURE() << bus.error().what;
    std::abort();
  }
  auto node = std::make_unique<Node>();
  node->bus = std::move(*bus);
  return node;
}

BusSettings settings(std::string name, KeyPair keys) {
  BusSettings out;
  out.name = std::move(name);
  out.keys = std::move(keys);
  return out;
}

bool until(std::vector<Node*> const& nodes, std::function<bool()> const& holds, int limit_ms) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    if (nodes.empty()) ::poll(nullptr, 0, 2);
    for (auto* const node : nodes) node->bus->poll(node->seen, 2);
  }
  return true;
}

std::string packed(std::string const& header, std::string const& body) {
  return std::string(header_size(header)) + header + body;
}

Header request_header(std::string id, std::string topic) {
  Header header;
  header.kind = Kind::request;
  header.topic = std::move(topic);
  header.id = std::move(id);
  header.deadline_ms = 10'000;
  return header;
}

Raw::Raw(std::string const& endpoint, std::string const& server_key, KeyPair const* keys,
         std::string const& routing_id, int receive_queue, int patience_ms)
    : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_DEALER)) {
  int const none = 0, immediate = 1;
  zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof(none));
  zmq_setsockopt(socket_, ZMQ_IMMEDIATE, &immediate, sizeof(immediate));
  zmq_setsockopt(socket_, ZMQ_SNDTIMEO, &patience_ms, sizeof(patience_ms));
  zmq_setsockopt(socket_, ZMQ_RCVHWM, &receive_queue, sizeof(receive_queue));
  if (!routing_id.empty())
    zmq_setsockopt(socket_, ZMQ_ROUTING_ID, routing_id.data(), routing_id.size());
  if (keys) {
    zmq_setsockopt(socket_, ZMQ_CURVE_SERVERKEY, server_key.data(), server_key.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_PUBLICKEY, keys->public_key.data(), keys->public_key.size());
    auto const& secret = keys->secret_key.reveal();
    zmq_setsockopt(socket_, ZMQ_CURVE_SECRETKEY, secret.data(), secret.size());
  }
  EXPECT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
}
Raw::~Raw() {
  zmq_close(socket_);
  zmq_ctx_term(context_);
}

bool Raw::send(std::vector<std::string> const& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    int const flags = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
    if (zmq_send(socket_, frames[i].data(), frames[i].size(), flags) < 0) return false;
  }
  return true;
}

std::vector<std::string> Raw::receive(int wait_ms) {
  std::vector<std::string> out;
  zmq_pollitem_t item{socket_, 0, ZMQ_POLLIN, 0};
  if (zmq_poll(&item, 1, wait_ms) <= 0) return out;
  for (int more = 1; more != 0;) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket_, 0) < 0) return out;
    out.emplace_back(static_cast<char const*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = zmq_msg_more(&message);
    zmq_msg_close(&message);
  }
  return out;
}

Child::Child(std::vector<std::string> args, std::string program) {
  std::vector<char*> argv{program.data()};
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  char line[6] = {};
  serves = ::read(ends[0], line, sizeof(line)) == 6 && std::string_view(line, 6) == "ready\n";
  ::close(ends[0]);
}
Child::~Child() {
  kill_now();
}
void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}
void Child::kill_now() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}
long memory_kib(std::string const& process, std::string const& which) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string word; status >> word;)
    if (long kib = 0; word == which && status >> kib) return kib;
  return -1;
}

Served::Served() {
  EXPECT_TRUE(write_keys(folder.file("key"), server));
  child = std::make_unique<Child>(
      std::vector<std::string>{"keys=" + folder.file("key"), "client=" + endpoint});
  EXPECT_TRUE(child->serves);
}

bool Served::answers() {
  Raw good(endpoint, server.public_key, &keys);
  return good.send({packed(codec::encode(request_header("good")), "")}) &&
         good.receive(5'000).size() == 1;
}

}  // namespace lepton::bus::rig
