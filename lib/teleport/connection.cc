#include "teleport/connection.h"

#include <grpc/support/time.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

#include "base/text.h"

namespace tw::teleport {
namespace {

using std::chrono::milliseconds;

// Pages are small, but one answer of the oldest servers holds every request.
constexpr int kMaxMessage = 64 * 1024 * 1024;
// Headers and trailers of one answer, with the reason of a refusal in them; gRPC's own limit of 8 KiB turns a
// longer one into a broken call.
constexpr int kMaxMetadata = 64 * 1024;
// Bytes in flight for one stream. gRPC would measure this with pings of its own, which Teleport counts.
constexpr int kLookahead = 1024 * 1024;

std::shared_ptr<grpc::Channel> MakeChannel(UniqueFd fd, const Keepalive& keepalive) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(keepalive.time.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(keepalive.answer.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookahead);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadata);
  arguments.SetUserAgentPrefix("teleport-webhooks");
  // For a descriptor gRPC would otherwise write "test.authority" into every call.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, kAuthName);
  return grpc::CreateCustomInsecureChannelFromFd(kAuthName, fd.Release(), arguments);
}

bool MeansBroken(grpc::StatusCode code) {
  return code == grpc::UNAVAILABLE || code == grpc::INTERNAL || code == grpc::CANCELLED ||
         code == grpc::UNKNOWN;
}

}  // namespace

Connection::Connection(Dialled dialled, Credentials credentials, const Keepalive& keepalive)
    : tunnel_(std::move(dialled.tunnel)),
      way_(std::move(dialled.way)),
      credentials_(std::move(credentials)),
      stub_(proto::AuthService::NewStub(MakeChannel(tunnel_.TakeEnd(), keepalive))) {}

Connection::~Connection() {
  stub_.reset();
}  // the channel closes its end before the tunnel goes

Error Connection::Explain(Call call, const grpc::Status& status, const std::stop_token& stop) {
  if (stop.stop_requested()) return Error::Cancelled();
  const grpc::StatusCode code = status.error_code();
  if (code == grpc::UNAVAILABLE) Retire();
  if (MeansBroken(code)) {
    if (!tunnel_.alive()) Retire();
    if (const auto why = tunnel_.why()) {
      Retire();
      return why->Within(std::string("the connection to Teleport was lost"));
    }
  }
  return StatusError(call, static_cast<Code>(code), status.error_message());
}

CallContext::CallContext(const Bound& bound) : on_stop_(bound.stop, Canceller{&context_}) {
  const auto left = std::chrono::ceil<milliseconds>(bound.deadline - std::chrono::steady_clock::now());
  context_.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(std::max(left, milliseconds(0)).count(), GPR_TIMESPAN)));
}

}  // namespace tw::teleport
