#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

constexpr const char* kExamples = R"(Examples:
  teleport-sandbox start --dir /tmp/sandbox --addr 127.0.0.1:3025
  teleport-sandbox request --dir /tmp/sandbox --user alice --role dba --reason 'rotate keys'
  teleport-sandbox approve --dir /tmp/sandbox ID --reason 'on call'
  teleport-sandbox fault --dir /tmp/sandbox end-streams --status unavailable
  teleport-sandbox receive --listen 127.0.0.1:8080 --secret-file secret

A stand-in for Teleport's Auth Service on loopback, for tests and demonstrations.
)";

// Everything the options write into; the calls are made of it after parsing.
struct Store {
  CommandLine line;
  Strings ids;
  Json call = Json::object();
};

// Options that go straight into the call under the name of their key, only when given.
class Builder {
 public:
  Builder(CLI::App& app, Store& store) : app_(app), store_(store) {}

  CLI::App& Verb(const std::string& name, const std::string& what) {
    CLI::App& verb = *app_.add_subcommand(name, what);
    verb.parse_complete_callback([this, name] { store_.line.verb = name; });
    return verb;
  }

  // A verb that talks to a running sandbox.
  CLI::App& Client(const std::string& name, const std::string& what) {
    CLI::App& verb = Verb(name, what);
    Dir(verb);
    verb.add_option("-o,--output", store_.line.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    return verb;
  }

  void Dir(CLI::App& verb) {
    verb.add_option("--dir", store_.line.dir, "directory of the sandbox")
        ->envname("TELEPORT_SANDBOX_DIR")
        ->required();
  }

  CLI::Option& Text(CLI::App& verb, const std::string& flags, const std::string& key,
                    const std::string& what) {
    return *verb.add_option_function<std::string>(
        flags, [this, key](const std::string& value) { store_.call[key] = value; }, what);
  }

  CLI::Option& Number(CLI::App& verb, const std::string& flags, const std::string& key,
                      const std::string& what) {
    return *verb.add_option_function<std::int64_t>(
        flags,
        [this, key, flags](const std::int64_t& value) {
          if (value < 0) throw CLI::ValidationError(flags, "must not be negative");
          store_.call[key] = static_cast<std::uint64_t>(value);
        },
        what);
  }

  // May be given several times, each time with one value.
  CLI::Option& List(CLI::App& verb, const std::string& flags, const std::string& key,
                    const std::string& what) {
    return *verb.add_option_function<Strings>(
                    flags, [this, key](const Strings& values) { store_.call[key] = values; }, what)
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->allow_extra_args(false);
  }

  void Flag(CLI::App& verb, const std::string& flags, const std::string& key, const std::string& what) {
    verb.add_flag_callback(
        flags, [this, key] { store_.call[key] = true; }, what);
  }

  void Ids(CLI::App& verb) { verb.add_option("ID", store_.ids, "request ids")->required(); }

  void OnOff(CLI::App& verb) {
    verb.add_option_function<std::string>(
            "switch", [this](const std::string& value) { store_.call["on"] = value == "on"; },
            "on (default) or off")
        ->check(CLI::IsMember({"on", "off"}));
  }

 private:
  CLI::App& app_;
  Store& store_;
};

void AddStart(Builder& builder, Store& store) {
  CLI::App& verb = builder.Verb("start", "run a sandbox in the foreground");
  StartArguments& start = store.line.start;
  builder.Dir(verb);
  verb.add_option("--addr", start.address, "where to listen, 127.0.0.1:PORT; 0 chooses")
      ->capture_default_str();
  verb.add_option("--teleport-version", start.release, "6, 8, 12, 13, 16 or 18")->capture_default_str();
  verb.add_option("--cluster", start.cluster, "cluster name")->capture_default_str();
  verb.add_option("--key-type", start.key_type, "ec or rsa")
      ->check(CLI::IsMember({"ec", "rsa"}))
      ->capture_default_str();
  verb.add_option("--user-ttl", start.user_ttl, "life of users' certificates")->capture_default_str();
  verb.add_option("--proxy", start.proxy, "also listen as a proxy's web port, 127.0.0.1:PORT");
  verb.add_option("--load-balancer", start.load_balancer,
                  "also listen as a layer-7 load balancer in front of it");
  verb.add_option("--min-ping", start.min_ping, "clients that ping more often are sent away")
      ->capture_default_str();
  verb.add_option("--expiry-scan", start.expiry_scan, "how often expired requests are removed")
      ->capture_default_str();
  verb.add_option("--watch-queue", start.watch_queue, "events a watcher may lag behind")
      ->capture_default_str();
}

void AddReceive(Builder& builder, Store& store) {
  CLI::App& verb = builder.Verb("receive", "a local request bin: show webhooks as they arrive");
  ReceiveArguments& receive = store.line.receive;
  verb.add_option("--listen", receive.listen, "where to listen, 127.0.0.1:PORT; 0 chooses")
      ->capture_default_str();
  verb.add_option("--secret-file", receive.secret_file,
                  "check signatures with the secrets in this file, one a line");
  verb.add_option("--status", receive.status, "answer with this status")
      ->check(CLI::Range(200, 599))
      ->capture_default_str();
  verb.add_option("--delay", receive.delay, "wait before each answer")->capture_default_str();
  verb.add_option("--fail-rate", receive.fail_rate, "share of requests that fail, 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--fail-first", receive.fail_first, "so many requests fail at first");
  verb.add_option("--fail-status", receive.fail_status, "status of those that fail")
      ->check(CLI::Range(200, 599))
      ->capture_default_str();
  verb.add_option("--retry-after", receive.retry_after, "seconds, sent with answers that fail");
  verb.add_option("--count", receive.count, "end after so many requests");
  verb.add_option("-o,--output", store.line.output, "text or ndjson")
      ->check(CLI::IsMember({"text", "ndjson"}));
  verb.add_flag("-q,--quiet", store.line.quiet, "count only");
}

void AddRequests(Builder& builder) {
  CLI::App& request = builder.Client("request", "make an access request; prints its id");
  builder.Text(request, "--user", "user", "who asks (alice)");
  builder.List(request, "--role", "roles", "requested role, repeatable");
  builder.Text(request, "--reason", "reason", "why");
  builder.List(request, "--resource", "resources", "/cluster/kind/name, repeatable");
  builder.List(request, "--suggested-reviewer", "suggested_reviewers", "repeatable");
  builder.Text(request, "--ttl", "ttl", "life of the pending request");
  builder.Text(request, "--access-ttl", "access_ttl", "life of what it grants");
  builder.Number(request, "--approvals", "approvals", "reviews needed to approve");
  builder.Number(request, "--denials", "denials", "reviews needed to deny");
  builder.Text(request, "--id", "id", "use this id");

  for (const char* name : {"approve", "deny"}) {
    CLI::App& verb = builder.Client(name, std::string(name) + " requests as an administrator");
    builder.Ids(verb);
    builder.Text(verb, "--reason", "reason", "why");
    builder.Text(verb, "--delegator", "delegator", "on whose behalf");
  }
  CLI::App& review = builder.Client("review", "submit an access review");
  builder.Ids(review);
  builder.Text(review, "--author", "author", "who reviews").required();
  builder.Flag(review, "--approve", "approve", "propose approval (default)");
  builder.Flag(review, "--deny", "deny", "propose denial");
  builder.Text(review, "--reason", "reason", "why");
  CLI::App& promote = builder.Client("promote", "promote requests to an access list (release 16 and 18)");
  builder.Ids(promote);
  builder.Text(promote, "--list", "list", "name of the access list");
  builder.Text(promote, "--title", "title", "title of the access list");
  builder.Text(promote, "--reason", "reason", "why");
  builder.Ids(builder.Client("delete", "remove requests"));
  builder.Ids(builder.Client("expire", "end the life of requests"));
  builder.Ids(builder.Client("touch", "write requests again with a new revision only"));
  builder.Ids(builder.Client("show", "everything about requests"));
  CLI::App& list = builder.Client("list", "all requests, oldest first");
  builder.Text(list, "--user", "user", "only this user's");
  builder.Text(list, "--state", "state", "only in this state");
}

void AddLoadAndRights(Builder& builder, Store& store) {
  CLI::App& burst = builder.Client("burst", "make many requests as fast as watchers read");
  builder.Number(burst, "--count", "count", "how many").required();
  builder.Text(burst, "--user", "user", "who asks");
  builder.List(burst, "--role", "roles", "requested role, repeatable");
  builder.Text(burst, "--reason", "reason", "why");
  builder.Flag(burst, "--approve", "approve", "approve each at once");
  builder.Flag(burst, "--delete", "delete", "remove each at the end");
  builder.Flag(burst, "--hold", "hold", "make all first, then send them at once");

  CLI::App& role = builder.Client("set-role", "change what a user may do");
  builder.Text(role, "user", "user", "whose rights").required();
  role.add_option_function<std::string>(
          "rights",
          [&store](const std::string& text) {
            Strings words;
            for (const std::string_view word : Split(text, ',')) {
              if (!Trim(word).empty()) words.emplace_back(Trim(word));
            }
            store.call["rights"] = words;
          },
          "comma-separated: list, read, create, update, delete, !VERB, review, review:ROLE, plugin-data; '' "
          "for none")
      ->required();

  CLI::App& user = builder.Client("user", "write a user's credentials anew");
  builder.Text(user, "user", "user", "whose").required();
  builder.Text(user, "--ttl", "ttl", "life of the certificate");
  builder.Flag(user, "--expired", "expired", "with --ttl: expired so long ago");
  builder.Flag(user, "--impersonated", "impersonated", "as if signed on the auth host (no MFA)");
  builder.List(user, "--active-request", "active_requests", "request id in the certificate, repeatable");

  CLI::App& rotate = builder.Client("rotate", "rotate the certificate authorities");
  builder.Text(rotate, "phase", "phase", "update-clients, then update-servers, then standby").required();
  builder.Flag(rotate, "--keep-users", "keep_users", "do not write the users' credentials anew");

  builder.Client("status", "what is there");
  builder.Client("stop", "end the sandbox");
  CLI::App& wait = builder.Client("wait-ready", "wait until the sandbox answers");
  wait.add_option("--timeout", store.line.timeout, "at most so long")->capture_default_str();
  wait.add_option("--watchers", store.line.watchers, "and has so many event streams");
}

void AddFaults(Builder& builder, Store& store) {
  CLI::App& fault = builder.Client("fault", "misbehave");
  fault.require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& what) -> CLI::App& {
    CLI::App& kind = *fault.add_subcommand(name, what);
    kind.parse_complete_callback([&store, name] { store.call["kind"] = name; });
    return kind;
  };
  CLI::App& end = add("end-streams", "end event streams");
  builder.Text(end, "--status", "status", "ok, unavailable (default), unknown, invalid-argument, ...");
  builder.Text(end, "--message", "message", "status text");
  builder.Number(end, "--after", "after", "after so many further events, else now");
  builder.Flag(end, "--always", "always", "also every stream opened later (needs --after)");
  builder.Text(add("init-delay", "send INIT of new streams late"), "time", "time", "how late").required();
  builder.OnOff(add("duplicate-puts", "send every PUT twice"));
  builder.OnOff(add("unknown-members", "send an event of an unknown kind before each"));
  add("unknown-event", "send one event of an unknown kind now");
  builder.OnOff(add("reorder", "swap neighbouring events"));
  builder.Number(add("drop-put", "never show the next new requests"), "count", "count", "how many (1)");
  builder.Number(add("delete-first", "send a DELETE before the next new requests"), "count", "count",
                 "how many (1)");
  builder.Text(add("list-lag", "lists show what was true so long ago"), "time", "time", "how long; 0 ends it")
      .required();
  CLI::App& call = add("call", "fail or delay the next call of a method");
  builder.Text(call, "method", "method", "name, or * for any").required();
  builder.Text(call, "status", "status", "gRPC status; ok only delays").required();
  builder.Text(call, "--message", "message", "status text");
  builder.Number(call, "--times", "times", "so many calls (1)");
  builder.Text(call, "--delay", "delay", "wait first");
  builder.Flag(call, "--after-effect", "after_effect", "do the work, then lose the answer");
  add("drop-connections", "cut all connections");
  builder.Text(add("refuse", "refuse connections for a time"), "time", "time", "how long").required();
  builder.OnOff(add("mfa", "refuse administrative calls for want of MFA"));
  builder.OnOff(add("proxy-down", "cut and refuse connections of proxy and load balancer"));
  add("clear", "behave again");
}

constexpr std::string_view kLocalVerbs[] = {"start", "receive", "wait-ready"};

// Of a call: text, or a list of texts, or no text at all.
bool IsSpeakable(const Json& value) {
  if (value.is_array()) return std::ranges::all_of(value, IsSpeakable);
  return !value.is_string() || IsUtf8(value.get_ref<const std::string&>());
}

Status MakeCalls(Store& store) {
  CommandLine& line = store.line;
  if (std::ranges::count(kLocalVerbs, line.verb) > 0) return {};
  const auto refusal = [](std::string_view key) {
    return Error::Usage(fmt::format("{}: the text is not UTF-8", key), "Teleport takes no other");
  };
  if (!std::ranges::all_of(store.ids, IsUtf8)) return refusal("ids");
  for (const auto& [key, value] : store.call.items()) {
    if (!IsSpeakable(value)) return refusal(key);
  }
  store.call["command"] = line.verb;
  if (line.verb == "request" && !store.call.contains("user")) store.call["user"] = "alice";
  if (store.ids.empty()) line.calls.push_back(store.call.dump());
  for (const std::string& id : store.ids) {
    store.call["id"] = id;
    line.calls.push_back(store.call.dump());
  }
  return {};
}

// The flags of a verb and of what stands above it: "--user", "-o" ...
Strings FlagsOf(const CLI::App& verb) {
  Strings out;
  for (const CLI::App* at = &verb; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
      for (const std::string& name : option->get_snames()) out.push_back("-" + name);
    }
  }
  return out;
}

Error Unknown(std::string_view what, const std::string& word, const Strings& known, const std::string& help) {
  const std::string nearest = Nearest(word, std::vector<std::string_view>(known.begin(), known.end()));
  return Error::Usage(fmt::format("unknown {}: {}", what, EscapeControls(word)),
                      nearest.empty() ? "see " + help : fmt::format("did you mean {}?", nearest));
}

// Walks down the words as the parser did, to the first that it cannot have understood.
Error Explain(const CLI::App& app, const CLI::ParseError& problem, int argc, const char* const* argv) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  int next = 1;
  for (; next < argc && !at->get_subcommands({}).empty(); ++next) {
    const std::string word = argv[next];
    const auto verbs = at->get_subcommands({});
    const auto found = std::ranges::find(verbs, word, [](const CLI::App* verb) { return verb->get_name(); });
    if (found != verbs.end()) {
      at = *found;
      path += " " + word;
      continue;
    }
    if (word.starts_with('-')) break;
    Strings names;
    for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
    return Unknown(at == &app ? "command" : at->get_name(), word, names, path + " --help");
  }
  const Strings flags = FlagsOf(*at);
  for (; next < argc; ++next) {
    const std::string word = argv[next];
    if (word == "--") break;
    const std::string name = word.substr(0, word.find('='));
    const bool number = word.size() > 1 && word[1] >= '0' && word[1] <= '9';
    if (word.starts_with('-') && word.size() > 1 && !number && std::ranges::count(flags, name) == 0)
      return Unknown("flag", name, flags, path + " --help");
  }
  return Error::Usage(EscapeControls(problem.what()), fmt::format("see {} --help", path));
}

// The words as CLI11 wants them. It takes the next word for the value of "--reason=".
Strings Reversed(int argc, const char* const* argv) {
  Strings words;
  for (const char* const* at = argv + argc - 1; at > argv; --at) {
    const std::string_view word = *at;
    const bool empty_value = word.starts_with("--") && word.find('=') == word.size() - 1;
    if (empty_value) words.emplace_back();
    words.emplace_back(word.substr(0, word.size() - (empty_value ? 1 : 0)));
  }
  return words;
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  Store store;
  CLI::App app{kExamples, "teleport-sandbox"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("teleport-sandbox ") + TW_VERSION);
  Builder builder(app, store);
  AddStart(builder, store);
  AddReceive(builder, store);
  AddRequests(builder);
  AddLoadAndRights(builder, store);
  AddFaults(builder, store);
  try {
    app.parse(Reversed(argc, argv));
  } catch (const CLI::CallForHelp&) {
    const CLI::App* at = &app;
    std::string parents;  // help() adds the name of its own verb
    for (; !at->get_subcommands().empty(); at = at->get_subcommands().front())
      parents += (parents.empty() ? "" : " ") + at->get_name();
    store.line.help = at->help(parents);
    return store.line;
  } catch (const CLI::CallForVersion& version) {
    store.line.help = std::string(version.what()) + "\n";
    return store.line;
  } catch (const CLI::ParseError& problem) {
    return Explain(app, problem, argc, argv);
  }
  if (store.line.verb == "request" && !store.call.contains("roles") && !store.call.contains("resources"))
    return Error::Usage("a request needs a --role or a --resource", "for instance --role dba");
  if (const Status made = MakeCalls(store); !made) return made.error();
  return store.line;
}

}  // namespace tw::sandbox
