#include "common/bus/client.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/random.hpp"
#include "common/base/time.hpp"
#include "common/bus/access/token_name.hpp"
#include "common/bus/endpoint.hpp"
#include "common/bus/frames.hpp"
#include "common/bus/link.hpp"
#include "common/bus/tally.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/entropy.hpp"
#include "schemas/refusal.hpp"

namespace lepton::bus {
namespace {
// Takes entropy in larger pieces: asking OpenSSL for each request id costs as much as sending the
// request.
class BufferedEntropy final : public crypto::Entropy {
 public:
  void fill(std::span<unsigned char> out) override {
    LEPTON_CHECK(out.size() <= buffer_.size(), "ids are small");
    if (buffer_.size() - used_ < out.size()) source_.fill(buffer_), used_ = 0;
    std::copy_n(buffer_.begin() + std::ptrdiff_t(used_), out.size(), out.begin());
    used_ += out.size();
  }

 private:
  crypto::SystemEntropy source_;
  std::array<unsigned char, 1024> buffer_{};
  std::size_t used_ = 1024;
};

constexpr TimeMs round_ms = 20;  // how exactly resends and deadlines are kept
constexpr TimeMs never = std::numeric_limits<TimeMs>::max();
}  // namespace

struct Client::Impl {
  struct Open {
    std::string topic;
    std::string body;
    TimeMs deadline_at = 0;
    TimeMs due_at = 0;  // when it is sent again or ends
    TimeMs pause_ms = 0;
    std::uint32_t attempt = 0;     // sendings that left
    std::uint32_t refused = 0;     // of them
    std::optional<Error> refusal;  // the newest
    bool by_name = false;          // the last one carried the name of the token only
    Done done;
  };
  using Requests = std::unordered_map<std::string, Open>;

  explicit Impl(ClientSettings s) : settings(std::move(s)), chance(seed()) {}
  std::uint64_t seed();
  Status open();
  void send(std::string const& id, Open& request, TimeMs now);
  void send_token(Requests::iterator request);
  void end(Requests::iterator request, Result<std::string> result);
  int take(TimeMs wait_ms);
  bool take_answer(Received& message);
  bool take_refusal(Requests::iterator found, Refusal refusal);
  int attend(TimeMs now);
  void heal(TimeMs now);
  Error no_answer(Open const& request) const;

  ClientSettings settings;
  SystemClock clock;
  BufferedEntropy entropy;
  Chance chance;
  Tally tally;
  Context context;
  std::optional<Link> link;
  Requests requests;
  TimeMs round_at = never;
  TimeMs retry_after = 0;
  std::string header_buffer;
  std::string token_name;
  bool token_known = false;  // the service has served a request that carried the token itself
};

std::uint64_t Client::Impl::seed() {
  std::uint64_t number = 0;
  for (auto const octet : entropy.array<8>()) number = number << 8 | octet;
  return number;
}

Status Client::Impl::open() {
  if (auto legal = check_connect(settings.endpoint); !legal) return legal;
  auto const server_keys = keys_in(settings.server_public_key);
  if (server_keys.empty())
    return Error{Code::invalid, "the public key of " + settings.endpoint +
                                    " must have 40 characters of Z85; see the service's key file"};
  if (!legal_key(settings.keys.public_key))
    return Error{Code::invalid, "this client has no CURVE key of its own; make one first"};
  if (settings.window < 1) return Error{Code::invalid, "a window holds at least one request"};
  auto dialled = Link::dial(
      context, {Pattern::dealer, settings.endpoint, server_keys, settings.keys, settings.limits},
      clock.now_ms());
  if (!dialled) return dialled.error();
  link.emplace(std::move(*dialled));
  if (auto const& token = settings.token.reveal(); !token.empty())
    token_name = access::token_name(token, settings.keys.public_key);
  return ok();
}

void Client::Impl::send(std::string const& id, Open& request, TimeMs now) {
  Header header;
  header.kind = Kind::request;
  header.topic = request.topic;
  header.id = id;
  header.deadline_ms = request.deadline_at - now;
  header.attempt = request.attempt + 1;
  header.trace = settings.trace;
  request.by_name = token_known;
  header.token = request.by_name ? token_name : settings.token.reveal();
  header_buffer.clear();
  codec::Writer(header_buffer).write(header);
  wipe(header.token.data(), header.token.size());
  bool const left = link->send(header_buffer, request.body);
  if (!left) {
    tally.add(Count::dropped_peer_away);
    request.due_at = std::min(request.deadline_at, now + round_ms);
  } else {
    tally.add(request.attempt == 0 ? Count::requests_out : Count::resends);
    ++request.attempt;
    auto const half = request.pause_ms / 2;
    request.due_at =
        std::min(request.deadline_at, now + half + TimeMs(chance.below(std::uint64_t(half) + 1)));
    request.pause_ms = std::min(2 * request.pause_ms, settings.resend_max_ms);
  }
  round_at = std::min(round_at, request.due_at);
}

Error Client::Impl::no_answer(Open const& request) const {
  if (request.refusal) return *request.refusal;
  if (request.attempt == 0)
    return {Code::unavailable,
            "cannot reach the service at " + settings.endpoint +
                "; is it up ('lepton status'), is the address right, and is its public key the one "
                "configured here?"};
  return {Code::timeout,
          "the service at " + settings.endpoint + " got " + request.topic + " " +
              std::to_string(request.attempt) +
              " times and did not answer in time; repeat it with the same request id, "
              "or see 'lepton status'"};
}

// The request leaves the table before `done` runs, which may submit the next one.
void Client::Impl::end(Requests::iterator request, Result<std::string> result) {
  auto const done = std::move(request->second.done);
  requests.erase(request);
  done(std::move(result));
}

// The service has forgotten the name. Once the token is on its way, another such answer is one to
// an earlier sending.
void Client::Impl::send_token(Requests::iterator request) {
  token_known = false;
  if (request->second.by_name) send(request->first, request->second, clock.now_ms());
}

bool Client::Impl::take_answer(Received& message) {
  if (message.fault != Fault::none) return tally.add(Count::refused_header), false;
  auto const found = requests.find(message.header.id);
  if (found == requests.end()) return tally.add(Count::dropped_late_answer), false;
  tally.add(Count::answers_in);
  retry_after = 0;
  if (message.header.kind == Kind::reply) {
    token_known = token_known || (!found->second.by_name && !token_name.empty());
    return end(found, std::move(message.body)), true;
  }
  auto refusal = codec::decode<Refusal>(message.body);
  if (!refusal)
    return end(found, Error{Code::internal, "the service refused in words that cannot be read"}),
           true;
  ++found->second.refused;
  if (refusal->token_wanted) return send_token(found), false;
  return take_refusal(found, std::move(*refusal));
}

// Final for the newest sending only. When there were several, an earlier one may be waiting yet: a
// passing reason is then no answer to the request, which is sent again until its deadline.
bool Client::Impl::take_refusal(Requests::iterator found, Refusal refusal) {
  auto& request = found->second;
  request.refusal = {refusal.code == Code::unknown ? Code::internal : refusal.code,
                     std::move(refusal.what)};
  if (is_overtaken(refusal, request.attempt)) return false;
  auto const again_at = clock.now_ms() + refusal.retry_after_ms;
  bool const passes = refusal.retry_after_ms > 0 && again_at < request.deadline_at;
  retry_after = refusal.retry_after_ms;
  if (!passes || request.refused >= request.attempt)
    return end(found, *std::move(request.refusal)), true;
  request.due_at = again_at;
  round_at = std::min(round_at, again_at);
  return false;
}

int Client::Impl::take(TimeMs wait_ms) {
  int ended = 0;
  for (int i = 0; i < settings.limits.batch_max; ++i) {
    Received message;
    if (!receive(link->socket(), Side::client, settings.limits, message)) {
      if (ended > 0 || i > 0 || wait_ms <= 0 || !link->socket().wait(int(wait_ms))) break;
      continue;
    }
    ended += take_answer(message) ? 1 : 0;
  }
  return ended;
}

// Sends again or ends what is due.
int Client::Impl::attend(TimeMs now) {
  if (now < round_at) return 0;
  round_at = never;
  std::vector<std::string> over;
  for (auto& [id, request] : requests) {
    if (request.due_at <= now && now < request.deadline_at) send(id, request, now);
    if (now >= request.deadline_at) over.push_back(id);
    round_at = std::min(round_at, request.due_at);
  }
  heal(now);
  for (auto const& id : over) {
    auto const request = requests.find(id);
    if (request == requests.end()) continue;
    retry_after = 0;
    end(request, no_answer(request->second));
  }
  return int(over.size());
}

void Client::Impl::heal(TimeMs now) {
  if (link->usable())
    link->alive(now);
  else if (link->heal(now, chance))
    tally.add(Count::redials), token_known = false;
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(ClientSettings settings) {
  auto impl = std::make_unique<Impl>(std::move(settings));
  if (auto opened = impl->open(); !opened) return opened.error();
  return Client(std::move(impl));
}

Status Client::submit_body(std::string_view topic, std::string body, TimeMs timeout_ms,
                           std::optional<std::string> id, Done done) {
  auto& self = *impl_;
  if (room() == 0)
    return Error{Code::exhausted, "the window of " + std::to_string(self.settings.window) +
                                      " requests is full; wait for answers first"};
  if (body.size() > self.settings.limits.body_bytes_max)
    return Error{Code::invalid, explain(Fault::body_size, self.settings.limits)};
  if (id && !legal_id(*id))
    return Error{Code::invalid, "a request id has 1 to 64 printable characters without spaces"};
  auto const now = self.clock.now_ms();
  auto key = id ? std::move(*id) : crypto::uuid7(self.entropy, self.clock.wall_ms());
  auto const [place, fresh] = self.requests.try_emplace(std::move(key));
  if (!fresh)
    return Error{Code::conflict,
                 "a request with this id is in flight already; wait for its answer"};
  auto& request = place->second;
  request.topic = topic;
  request.body = std::move(body);
  request.deadline_at = now + timeout_ms;
  request.pause_ms = self.settings.resend_first_ms;
  request.done = std::move(done);
  self.send(place->first, request, now);
  return ok();
}

Result<std::string> Client::exchange(std::string_view topic, std::string body, TimeMs timeout_ms,
                                     std::optional<std::string> id) {
  std::optional<Result<std::string>> result;
  auto const sent = submit_body(topic, std::move(body), timeout_ms, std::move(id),
                                [&](Result<std::string> r) { result.emplace(std::move(r)); });
  if (!sent) return sent.error();
  while (!result) pump(1000);
  return std::move(*result);
}

int Client::pump(TimeMs timeout_ms) {
  auto& self = *impl_;
  auto const now = self.clock.now_ms();
  auto const until_round = self.round_at == never ? timeout_ms : self.round_at - now;
  int const ended = self.take(std::min(timeout_ms, std::max<TimeMs>(0, until_round)));
  return ended + self.attend(self.clock.now_ms());
}

std::size_t Client::in_flight() const {
  return impl_->requests.size();
}
std::size_t Client::room() const {
  auto const window = std::size_t(impl_->settings.window);
  return window - std::min(window, impl_->requests.size());
}
TimeMs Client::retry_after_ms() const {
  return impl_->retry_after;
}
std::map<std::string, std::int64_t> Client::counters() const {
  return impl_->tally.all();
}

}  // namespace lepton::bus
