#include "store/attempt_rules.h"

#include "base/duration.h"

namespace tw::store {

void ApplyAttempt(Delivery& delivery, const AttemptRecord& record) {
  if (record.counted) {
    ++delivery.attempts;
    if (!delivery.first_attempt) {
      delivery.first_attempt = record.at;
      delivery.held_before_first = record.held_total;
    }
  }
  if (record.counted || !record.error.empty()) {
    delivery.last_status = record.http_status;
    delivery.last_error = record.error;
  }
  delivery.status = record.status;
  delivery.finished.reset();
  if (record.status != DeliveryStatus::kPending) {
    delivery.finished = record.at + record.took;
  } else if (record.due != SystemTime()) {
    delivery.due = record.due;
  }
}

bool IsBackedOff(const Delivery& delivery) {
  return delivery.status == DeliveryStatus::kPending && delivery.due > delivery.created;
}

std::string ExpiredReason(std::chrono::milliseconds retain, bool served) {
  return "waited longer than " + FormatDuration(retain) +
         (served ? " for its endpoint" : ", its endpoint is not in the configuration");
}

}  // namespace tw::store
