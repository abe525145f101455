// Intake: takes what the watcher found, asks the router who gets it, commits, and tells the deliverer.
// Nothing happens to an event before its commit has returned.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "access/request_book.h"
#include "base/log.h"
#include "store/store.h"
#include "webhook/deliverer.h"
#include "webhook/router.h"

namespace tw::daemon {

// Commit: the watcher's thread. SetRouter: any thread. The references must outlive it.
class Intake final : public access::ChangeSink {
 public:
  using OnCommitted = std::function<void(const access::Event&)>;

  Intake(store::Store& store, webhook::Deliverer& deliverer, Logger& log, webhook::Router router,
         OnCommitted committed);

  void SetRouter(webhook::Router router);
  Status Commit(std::vector<access::Change> changes) override;

 private:
  std::vector<store::Commitment> Route(std::vector<access::Change> changes);
  void Tell(const store::Commitment& commitment);

  store::Store& store_;
  webhook::Deliverer& deliverer_;
  Logger& log_;
  OnCommitted committed_;
  std::mutex mutex_;
  webhook::Router router_;
};

}  // namespace tw::daemon
