#include "teleport/event_stream.h"

#include "teleport/decode.h"

namespace tw::teleport {
namespace {

// Decoded changes that nobody has read yet: a few megabytes at most, since a request is about a kilobyte.
constexpr std::size_t kQueueLimit = 1024;

}  // namespace

GrpcEventStream::GrpcEventStream(std::shared_ptr<Connection> connection, std::stop_token stop)
    : connection_(std::move(connection)),
      stop_(std::move(stop)),
      queue_(kQueueLimit),
      thread_([this] { Run(); }),
      on_stop_(stop_, Canceller{this}) {}

GrpcEventStream::~GrpcEventStream() {
  Cancel();
  thread_.join();
}

void GrpcEventStream::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
  queue_.Close();
}

void GrpcEventStream::End(Error why) {
  {
    std::lock_guard lock(mutex_);
    end_ = std::move(why);
  }
  queue_.Close();
}

std::optional<Error> GrpcEventStream::Follow(grpc::ClientReader<proto::Event>& reader) {
  proto::Event event;
  bool first = true;
  while (reader.Read(&event)) {
    if (first != (event.type() == proto::INIT)) {
      if (!first) continue;  // nothing new is said by another INIT
      return Error{ErrorKind::kFailure, "Teleport's event stream did not begin with INIT", {}, true};
    }
    if (first && RefusesOurKind(event)) {
      return Error{ErrorKind::kCredentials,
                   "Teleport refused to watch access requests: the right read on access_request is missing",
                   "give the plugin's role a rule with read on access_request (see `configure --kind role`)",
                   false};
    }
    first = false;
    std::optional<access::StreamChange> change = DecodeEvent(event);
    if (change && !queue_.Push(std::move(*change))) break;
  }
  return std::nullopt;
}

void GrpcEventStream::Run() {
  proto::Watch watch;
  watch.add_kinds()->set_kind(kAccessRequestKind);
  const auto reader = connection_->stub().WatchEvents(&context_, watch);
  std::optional<Error> broken = Follow(*reader);
  if (broken) context_.TryCancel();
  const grpc::Status status = reader->Finish();
  if (stop_.stop_requested() || cancelled_) return End(Error::Cancelled());
  End(broken ? *broken : connection_->Explain(Call::kWatch, status, stop_));
}

Result<std::vector<access::StreamChange>> GrpcEventStream::Read(std::size_t most,
                                                                std::chrono::milliseconds timeout) {
  // The news that the stream is superseded ends one wait, the first; later reads wait again.
  std::vector<access::StreamChange> changes =
      queue_.PopSome(most, timeout, told_ ? std::stop_token() : connection_->superseded());
  told_ = told_ || Superseded();
  if (!changes.empty() || !queue_.Drained()) return changes;
  std::lock_guard lock(mutex_);
  return end_.value_or(Error::Cancelled());  // the queue closes a moment before the thread tells why
}

}  // namespace tw::teleport
