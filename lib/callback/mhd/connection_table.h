// ConnectionTable: every open connection with its deadline, and the janitor thread that cuts those which are
// past it. libmicrohttpd's own time-out counts inactivity only, so that a dripping client would never meet
// it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "callback/http_server.h"

struct MHD_Connection;

namespace tw::callback {

enum class Phase {
  kAwaiting,   // no request line yet: nothing is lost when it is closed
  kReceiving,  // head or body
  kAnswering,  // in the handler, or the answer is being written
};

class TlsGeneration;

// One connection. `phase`, `since`, `deadline`, `fd` and `peer` belong to the table; the rest to the event
// thread, and to one worker while the connection is suspended.
struct Connection {
  int fd = -1;
  std::string peer;
  std::string key;  // for the per-address limit; empty: not counted
  Phase phase = Phase::kAwaiting;
  SteadyTime since{};  // when the phase began
  SteadyTime deadline{};

  MHD_Connection* mhd = nullptr;
  // What `certificate` was verified against and when; a replaced client CA makes it count no more.
  std::weak_ptr<TlsGeneration> verified_by;
  SteadyTime verified_at{};
  std::optional<ClientCertificate> certificate;
  struct Exchange {
    HttpRequest request;
    bool begun = false;
    bool too_large = false;
    std::size_t excess = 0;  // bytes read and dropped beyond the limit
    std::optional<HttpResponse> answer;
  };
  Exchange exchange;
  // Set by a worker when `answer` is there for the loop's thread: libmicrohttpd's own order is not visible to
  // us.
  std::atomic<bool> answered = false;
};

struct ConnectionLimits {
  std::size_t total = 512;
  std::size_t per_address = 64;  // 0: none
  // A request that has been arriving for so long may be cut for a newcomer: an honest one comes in one go.
  std::chrono::milliseconds slow_request{1'000};
};

// Safe for use from any thread.
class ConnectionTable {
 public:
  explicit ConnectionTable(ConnectionLimits limits);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // May one more come from this client? Makes room in a full table by cutting another, see MakeRoom. `key`
  // empty: exempt from the per-address limit.
  bool Admit(const std::string& key);
  // Cuts the connection that has kept us waiting longest for a request, or for the rest of a slow one; false
  // when there is none. Both alike, else half requests that fill the table would cost the honest newcomer.
  bool MakeRoom();
  Connection* Add(int fd, std::string peer, std::string key, SteadyTime deadline);
  // Before the descriptor is closed, so that the janitor never cuts a number that belongs to another.
  void Remove(Connection* connection);
  void Enter(Connection* connection, Phase phase, SteadyTime deadline);

  // Cuts what waits for a request now, and whatever begins to wait.
  void CloseWaiting();
  // True when no request is under way any more, waiting at most until `deadline`.
  bool AwaitQuiet(SteadyTime deadline);
  std::size_t size() const;

 private:
  void Sweep(std::stop_token stop);
  bool Quiet() const;
  bool CutSlowest();

  const ConnectionLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable quiet_;
  std::list<Connection> connections_;
  std::map<std::string, std::size_t> per_address_;
  SteadyTime next_sweep_ = SteadyTime::max();
  bool closing_ = false;
  std::jthread janitor_;
};

}  // namespace tw::callback
