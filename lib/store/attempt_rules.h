// What an attempt does to a delivery: the rules that every implementation of the Store shares. Pure.
#pragma once

#include "store/store.h"

namespace tw::store {

// Applies one record. `delivery` is as the store holds it; its id must be the record's.
void ApplyAttempt(Delivery& delivery, const AttemptRecord& record);

// Has it been put off to a later time than the moment it was committed?
bool IsBackedOff(const Delivery& delivery);

// The words for a delivery that was given up because it waited longer than `retain`.
std::string ExpiredReason(std::chrono::milliseconds retain, bool served);

}  // namespace tw::store
