// The inside of Sandbox: what it is made of and how long each part lives. Private to sandbox*.cc.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "front/front.h"
#include "model/plugin_data.h"
#include "sandbox.h"
#include "service/auth_service.h"
#include "service/listener.h"
#include "service/scheduler.h"
#include "service/unknown_calls.h"
#include "service/watch_hub.h"

namespace tw::sandbox {

struct Sandbox::Parts {
  explicit Parts(SandboxOptions wanted)
      : options(std::move(wanted)),
        users(options.release),
        book(options.release, clock, random, users, [this](const Change& change) { hub.Publish(change); }),
        shelf(clock, book, users),
        hub(options.release, faults, scheduler, options.watch_queue) {}

  SandboxOptions options;
  RealClock clock;
  SystemRandom random;
  UserDirectory users;
  Faults faults;
  Scheduler scheduler;
  Book book;
  PluginDataShelf shelf;
  WatchHub hub;
  std::unique_ptr<Pki> pki;
  std::unique_ptr<AuthService> service;
  UnknownCalls unknown_calls;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Front> proxy;
  std::unique_ptr<Front> load_balancer;
  bool stopped = false;

  Status StartServer();
  Status StartFronts();
  Status StartFront(FrontKind kind, const Address& where, const ServerIdentity& web,
                    std::unique_ptr<Front>& out);
  std::vector<Front*> Fronts() const;  // those there are
  void HandOver(UniqueFd connection);  // to gRPC
  void Sweep();
};

}  // namespace tw::sandbox
