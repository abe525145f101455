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
  if (parts_->proxy) parts_->proxy->Suspend();
  if (parts_->load_balancer) parts_->load_balancer->Suspend();
}

Status Sandbox::ResumeFronts() {
  for (Front* front : {parts_->proxy.get(), parts_->load_balancer.get()}) {
    if (front == nullptr) continue;
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
