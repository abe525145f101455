// send: delivers by hand.
#include <fmt/format.h>

#include <charconv>

#include "access/event_json.h"
#include "access/web_url.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "crypto/webhook_signature.h"
#include "teleport/client.h"
#include "verbs/hand_sender.h"
#include "verbs/ids.h"
#include "verbs/send_targets.h"
#include "verbs/stored_deliveries.h"
#include "verbs/test_event.h"
#include "verbs/verbs.h"
#include "wiring/stderr_logger.h"

namespace tw::cli {
namespace {

using access::Event;

enum class What { kTest, kRequests, kStored };

Result<What> ReadWhat(const Arguments& args) {
  const bool stored = args.Has("failed") || args.Has("delivered") || args.Has("delivery");
  const int ways = (args.Has("test") ? 1 : 0) + (args.positional.empty() ? 0 : 1) + (stored ? 1 : 0);
  if (ways == 0)
    return Error::Usage("nothing to send",
                        "give --test, access request ids, -, --failed, --delivered or --delivery ID");
  if (ways > 1) return Error::Usage("--test, access request ids and stored deliveries exclude each other");
  if (args.Has("discard") && !stored)
    return Error::Usage("--discard goes with --failed, --delivered or --delivery");
  if (stored && args.Has("url"))
    return Error::Usage("stored deliveries go to their own endpoints, not to --url");
  if ((args.Has("type") || args.Has("field")) && !args.Has("test"))
    return Error::Usage("--type and --field go with --test");
  if (args.Has("since") && !args.Has("failed") && !args.Has("delivered"))
    return Error::Usage("--since goes with --failed or --delivered");
  if (args.Has("stale") && !stored) return Error::Usage("--stale goes with --failed or --delivery");
  return args.Has("test") ? What::kTest : stored ? What::kStored : What::kRequests;
}

Result<int> Retries(const Arguments& args) {
  const auto text = args.Value("retries");
  if (!text) return 0;
  int retries = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), retries);
  if (error != std::errc() || end != text->data() + text->size() || retries < 0 || retries > 100) {
    return Error::Usage(fmt::format("--retries \"{}\" is not a number from 0 to 100", EscapeControls(*text)));
  }
  return retries;
}

// The present state of a request as the event that reported it, or would have.
Event PresentState(const access::AccessRequest& request, const access::ClusterInfo& info, SystemTime now) {
  Event event;
  const bool pending = request.state == access::RequestState::kPending;
  switch (request.state) {
    case access::RequestState::kPending:
      event.type = access::EventType::kCreated;
      break;
    case access::RequestState::kApproved:
      event.type = access::EventType::kApproved;
      break;
    case access::RequestState::kDenied:
      event.type = access::EventType::kDenied;
      break;
    case access::RequestState::kPromoted:
      event.type = access::EventType::kPromoted;
      break;
    case access::RequestState::kNone:
      break;
  }
  event.id = pending ? access::CreatedEventId(info.cluster, request.id)
                     : access::ChangeEventId(info.cluster, request);
  event.timestamp = now;
  event.cluster = info.cluster;
  event.source = access::EventSource::kManual;
  event.request = request;
  event.web_url = access::WebUrl(info.proxy_address, request.id);
  return event;
}

class Sending {
 public:
  Sending(Invocation& invocation, const SendTargets& targets, HandSender& sender, std::stop_token stop)
      : invocation_(invocation),
        targets_(targets),
        sender_(sender),
        stop_(std::move(stop)),
        log_(invocation) {}

  Status Test() {
    const Arguments& args = invocation_.args();
    const auto event = MakeTestEvent(args.Value("type").value_or(""), args.Values("field"), clock_, random_);
    if (!event) return event.error();
    for (const webhook::EndpointPlan& plan : targets_.plans) {
      const auto report = sender_.Send(plan, event->id, event->json);
      if (!report) return report.error();
      const bool delivered = *report && (*report)->judgement.verdict == webhook::Verdict::kDelivered;
      if (delivered && !args.Has("url"))
        LiftHold(invocation_, targets_.settings.state.dir, plan.settings().name);
      if (const Status told = sender_.Tell(plan, event->id, *report); !told) return told;
    }
    return {};
  }

  Status Requests() {
    Status result;
    const Status read = ForEachRequest(invocation_, stop_, [&](GivenRequest given) {
      result = One(std::move(given));
      return result.has_value();
    });
    return read ? result : read;
  }

 private:
  Status One(GivenRequest given) {
    if (!given.event) {
      auto event = Fetch(given.id);
      if (!event) {
        if (event.error().kind != ErrorKind::kNotFound) return event.error();
        sender_.tally().Failed(ErrorKind::kNotFound);
        invocation_.Warn(fmt::format("{}: {}", given.id, event.error().message));
        return {};
      }
      given.event = std::move(*event);
      given.json = access::EventToJson(*given.event);
    }
    std::string id = given.event->id;
    if (invocation_.args().Has("new-id") || id.empty()) {
      id = NewEventId(random_);
      given.json = WithId(given.json, id);
    } else if (!crypto::IsWebhookId(id)) {
      return Error::Usage(
          fmt::format("{}: the id of the event cannot be a webhook-id", given.id),
          "at most 64 characters, no dots, blanks or control characters; --new-id gives another");
    }
    for (const webhook::EndpointPlan& plan : targets_.plans) {
      const auto report = sender_.Send(plan, id, given.json);
      if (!report) return report.error();
      if (const Status told = sender_.Tell(plan, id, *report); !told) return told;
    }
    return {};
  }

  Result<Event> Fetch(const std::string& id) {
    const access::CallLimits limits{std::chrono::seconds(15), stop_};
    if (!api_) {
      auto client = teleport::MakeTeleportClient(targets_.settings.teleport, clock_, log_);
      if (!client) return client.error();
      api_ = std::move(*client);
      auto info = api_->Ping(limits);
      if (!info) return info.error();
      info_ = std::move(*info);
    }
    const auto found = api_->Get(id, limits);
    if (!found) return found.error();
    if (!*found)
      return Error{ErrorKind::kNotFound, "no such access request, or our role may not list it", {}, false};
    return PresentState(**found, info_, clock_.Now());
  }

  Invocation& invocation_;
  const SendTargets& targets_;
  HandSender& sender_;
  std::stop_token stop_;
  wiring::StderrLogger log_;
  RealClock clock_;
  SystemRandom random_;
  std::unique_ptr<access::AccessApi> api_;
  access::ClusterInfo info_;
};

}  // namespace

int RunSend(Invocation& invocation) {
  const Arguments& args = invocation.args();
  const auto what = ReadWhat(args);
  if (!what) return invocation.Fail(what.error());
  const auto retries = Retries(args);
  if (!retries) return invocation.Fail(retries.error());
  const auto timeout = TimeoutOf(args, std::nullopt);
  if (!timeout) return invocation.Fail(timeout.error());
  const bool from_stdin = args.positional.size() == 1 && args.positional[0] == "-";
  const auto targets = ReadTargets(invocation, *what == What::kRequests && !from_stdin);
  if (!targets) return invocation.Fail(targets.error());
  if (targets->plans.empty())
    return invocation.Fail(
        Error::Config("no endpoint to send to", "write [webhook] webhook_url, or give --url"));

  const Interrupt interrupt(*timeout);
  HandSender sender(invocation, interrupt.token(), *retries);
  Sending sending(invocation, *targets, sender, interrupt.token());
  const Status sent = *what == What::kTest     ? sending.Test()
                      : *what == What::kStored ? SendStored(invocation, *targets, sender, interrupt.token())
                                               : sending.Requests();
  if (invocation.out().closed()) return 0;
  if (const auto code = interrupt.exit_code()) {
    return *code == ExitCode(ErrorKind::kTimeout)
               ? invocation.Fail({ErrorKind::kTimeout, "the time limit passed", "raise --timeout", true})
               : *code;
  }
  if (!sent) {
    const int code = invocation.Fail(sent.error());
    if (sent.error().kind == ErrorKind::kFailure)
      return code;  // a full output, say: not one request's affair
    sender.tally().Failed(sent.error().kind);
    return sender.tally().exit_code() == 0 ? code : sender.tally().exit_code();
  }
  const int code = sender.tally().exit_code();
  const bool summary = code != 0 && invocation.format() != Format::kText;
  return summary ? invocation.Fail({sender.tally().failure(), "not everything was delivered", {}, false})
                 : code;
}

}  // namespace tw::cli
