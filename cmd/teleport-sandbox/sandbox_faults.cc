// The misbehaving half of Sandbox.
#include "sandbox_parts.h"

namespace tw::sandbox {

Faults& Sandbox::faults() {
  return parts_->faults;
}

void Sandbox::EndStreams(const StreamEnd& end) {
  if (end.after_events == 0) {
    parts_->hub.EndAll(end);
  } else {
    parts_->hub.ArmEnd(end);
  }
}

void Sandbox::SetListLag(std::chrono::milliseconds lag) {
  parts_->book.SetListLag(lag);
}
void Sandbox::RequireMfa(bool required) {
  parts_->book.RequireMfa(required);
}
void Sandbox::PublishUnknownEvent() {
  parts_->hub.PublishUnknown();
}
void Sandbox::DropConnections() {
  parts_->listener->CutAll();
  for (Front* front : parts_->Fronts()) front->CutAll();
}
void Sandbox::RefuseConnections() {
  parts_->listener->Suspend();
}
Status Sandbox::AcceptConnections() {
  return parts_->listener->Resume();
}

void Sandbox::RefuseConnectionsFor(std::chrono::milliseconds time) {
  RefuseConnections();
  parts_->scheduler.After(time, [this] { [[maybe_unused]] const Status ok = AcceptConnections(); });
}

void Sandbox::SuspendFronts() {
  for (Front* front : parts_->Fronts()) front->Suspend();
}

Status Sandbox::ResumeFronts() {
  for (Front* front : parts_->Fronts()) {
    if (Status ok = front->Resume(); !ok) return ok;
  }
  return {};
}

void Sandbox::ClearFaults() {
  parts_->faults.Clear();
  parts_->book.SetListLag(std::chrono::milliseconds(0));
  parts_->book.RequireMfa(false);
}

}  // namespace tw::sandbox
