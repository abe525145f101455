// ReplayMemory over the store. The store must outlive it.
#pragma once

#include "callback/ports.h"
#include "store/store.h"

namespace tw::callback {

class StoreReplay final : public ReplayMemory {
 public:
  explicit StoreReplay(store::Store& store) : store_(store) {}

  Result<std::optional<RememberedAnswer>> Find(const std::string& caller,
                                               const std::string& webhook_id) override {
    auto found = store_.FindReplay(caller, webhook_id);
    if (!found) return found.error();
    if (!*found) return std::optional<RememberedAnswer>();
    store::ReplayAnswer& answer = **found;
    return std::optional<RememberedAnswer>({std::move(answer.body_digest), answer.status,
                                            std::move(answer.content_type), std::move(answer.body)});
  }
  Status Save(const std::string& caller, const std::string& webhook_id, const RememberedAnswer& answer,
              SystemTime forget_after) override {
    return store_.SaveReplay(caller, webhook_id,
                             {answer.body_digest, answer.status, answer.content_type, answer.body},
                             forget_after);
  }

 private:
  store::Store& store_;
};

}  // namespace tw::callback
