// The only file that sees libjq (1.6 and 1.7). Facts about 1.6 that shape it, each tried: without a library
// path `include` aborts the process; $ENV and `env` show the process environment; `indices("")` never
// returns; looking for something in a list (`index("dba")`, a usual filter) loses memory at every run; a run
// that ends while `path(...)` has more to give fails an assertion when its state is used or freed.
#include "jq/jq_module.h"

#include <fmt/format.h>

#include <csetjmp>
#include <csignal>
#include <map>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "jq/watchdog.h"

extern "C" {
#include <jq.h>
}

namespace tw::jq {
namespace {

// Bound in front of every program, on its first line so that line numbers stay true. Since no program can
// then begin with `include` or `import`, these are syntax errors.
constexpr std::string_view kPrelude =
    "def env: {}; def stderr: .; def halt: error(\"halt is not available here\");"
    " def halt_error: halt; def halt_error($code): halt;"
    " def _tw_indices($i): indices($i);"
    " def _tw_in_list($want; $n): . as $list"
    " | [range(length) | select($list[. : . + $n] == $want)];"
    " def indices($i): if $i == \"\" then null"
    " elif type != \"array\" or $i == [] then _tw_indices($i)"
    " elif ($i | type) == \"array\" then _tw_in_list($i; $i | length)"
    " else _tw_in_list([$i]; 1) end;"
    " def index($i): indices($i) | .[0]; def rindex($i): indices($i) | .[-1:] | .[0]; {} as $ENV | ";
constexpr std::size_t kLongestMessage = 400;
constexpr std::size_t kMostChecked = 64;

// Owner of a jv.
class Value {
 public:
  explicit Value(jv value) : value_(value) {}
  Value(Value&& other) noexcept : value_(std::exchange(other.value_, jv_null())) {}
  Value& operator=(Value&&) = delete;
  ~Value() { jv_free(value_); }

  jv Copy() const { return jv_copy(value_); }
  bool valid() const { return jv_is_valid(value_) != 0; }
  std::string Dump() const { return Text(jv_dump_string(Copy(), 0)); }
  std::string String() const { return Text(Copy()); }  // of a string
  // Of an invalid value: nullopt when it just says "no more".
  std::optional<std::string> Message() const {
    const Value message(jv_invalid_get_msg(Copy()));
    if (jv_get_kind(message.value_) == JV_KIND_NULL) return std::nullopt;
    if (jv_get_kind(message.value_) == JV_KIND_STRING) return message.String();
    return message.Dump() + " (not a string)";
  }

 private:
  static std::string Text(jv string) {
    std::string out(jv_string_value(string),
                    static_cast<std::size_t>(jv_string_length_bytes(jv_copy(string))));
    jv_free(string);
    return out;
  }
  jv value_;
};

// Of the call into libjq that this thread is in. Initial-exec: else the first look at it in a thread may
// allocate, which a signal handler must not do.
__attribute__((tls_model("initial-exec"))) thread_local sigjmp_buf* way_out = nullptr;

void OnAbort(int) {
  if (way_out != nullptr) siglongjmp(*way_out, 1);
}

void CatchAborts() {
  struct sigaction action {};
  action.sa_handler = &OnAbort;
  action.sa_flags = SA_NODEFER;  // the mask is as it was after the jump
  sigaction(SIGABRT, &action, nullptr);
}

// Calls into libjq, which ends the process when one of its assertions fails: an event that meets such a
// mistake may cost a dead letter, not the daemon. POSIX lets a handler keep abort() from ending it by not
// returning. False: that happened; what the call worked on must not be touched again. `call` owns nothing,
// since it is left by a jump.
template <class Call>
bool Survives(const Call& call) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {  // NOLINT(cert-err52-cpp): C frames only
    way_out = nullptr;
    return false;
  }
  way_out = &here;
  call();
  way_out = nullptr;
  return true;
}

struct StateDelete {
  void operator()(jq_state* state) const {
    Survives([&state] { jq_teardown(&state); });
  }
};
using State = std::unique_ptr<jq_state, StateDelete>;

void KeepFirstMessage(void* context, jv message) {
  auto& out = *static_cast<std::string*>(context);
  const Value text(jq_format_error(message));
  if (out.empty()) out = text.String();
}

// jq 1.6 leaves its input callback uninitialised, so that `input` would jump anywhere without this.
jv NoMoreInput(jq_state*, void*) {
  return jv_invalid();
}

void DropMessage(void*, jv message) {
  jv_free(message);
}

// jq's first complaint without its decorations and without the prelude.
std::string Tidy(std::string message) {
  const auto cut = [&](std::string_view part) {
    if (const auto at = message.find(part); at != std::string::npos) message.erase(at, part.size());
  };
  message = message.substr(0, message.find('\n'));
  cut("jq: error: ");
  cut(" (Unix shell quoting issues?)");
  cut(" <top-level>,");
  while (message.ends_with(':')) message.pop_back();
  return EscapeControls(CutUtf8(message, kLongestMessage));
}

// `program` with the prelude in front. Null: it does not compile; `message` says why.
State MakeState(const std::string& program, std::string& message) {
  State state(jq_init());
  if (!state) return state;
  jq_set_attr(state.get(), jv_string("JQ_LIBRARY_PATH"), jv_array());
  jq_set_error_cb(state.get(), &KeepFirstMessage, &message);
  jq_set_input_cb(state.get(), &NoMoreInput, nullptr);
  jq_set_debug_cb(state.get(), &DropMessage, nullptr);
  const std::string whole = std::string(kPrelude) + program;
  if (jq_compile(state.get(), whole.c_str()) == 0) return nullptr;
  jq_set_error_cb(state.get(), &DropMessage, nullptr);
  return state;
}

class LibjqProgram final : public Program {
 public:
  LibjqProgram(State state, std::string program, std::string origin, std::shared_ptr<Watchdog> dog)
      : state_(std::move(state)),
        program_(std::move(program)),
        origin_(std::move(origin)),
        dog_(std::move(dog)) {}

  Result<std::optional<std::string>> First(std::string_view json) override {
    std::optional<std::string> first;
    const auto take = [](void* context, std::string result) {
      static_cast<std::optional<std::string>*>(context)->emplace(std::move(result));
      return false;
    };
    if (const Status ran = Each(json, take, &first); !ran) return ran.error();
    return first;
  }

  Result<std::string> Only(std::string_view json) override {
    struct Taken {
      int count = 0;
      std::string text;
    } taken;
    const auto take = [](void* context, std::string result) {
      auto& out = *static_cast<Taken*>(context);
      out.text = std::move(result);
      return ++out.count < 2;
    };
    if (const Status ran = Each(json, take, &taken); !ran) return ran.error();
    if (taken.count == 0) return Failed("it gave no result, exactly one is needed");
    if (taken.count > 1) return Failed("it gave more than one result, exactly one is needed");
    return std::move(taken.text);
  }

  Status Each(std::string_view json, Visitor visit, void* context) override {
    const Value input(jv_parse_sized(json.data(), static_cast<int>(json.size())));
    if (!input.valid()) return Failed("its input is not JSON");
    if (!state_) {
      std::string message;
      state_ = MakeState(program_, message);
      if (!state_) return Failed("cannot be compiled again");
    }
    const Status ran = Run(input, visit, context);
    // Now, so that the next event does not suffer from what a stop left behind.
    if (state_ && jq_halted(state_.get()) != 0 && !Start(jv_null())) Abandon();
    return ran;
  }

 private:
  Status Run(const Value& input, Visitor visit, void* context) {
    jq_state* const state = state_.get();
    Watchdog::Guard guard(*dog_, &Stop, state);
    bool wanted = true;  // after that it runs to its end: see the facts on top
    bool alive = Start(input.Copy());
    while (alive) {
      jv raw = jv_invalid();
      alive = Survives([state, &raw] { raw = jq_next(state); });
      const Value result(raw);
      if (!alive) break;
      if (wanted && jq_halted(state) != 0)
        return Failed(fmt::format("stopped after {} ms: does it loop?", kRunLimit.count()));
      if (!result.valid()) {
        const auto message = wanted ? result.Message() : std::nullopt;
        return message ? Status(Failed(*message)) : Status();
      }
      wanted = wanted && visit(context, result.Dump());
    }
    Abandon();
    return wanted ? Status(Failed("it ran into an internal error of libjq")) : Status();
  }

  bool Start(jv input) {
    jq_state* const state = state_.get();
    return Survives([state, input] { jq_start(state, input, 0); });
  }

  // What libjq gave up on cannot be freed; the next run makes a new one.
  void Abandon() { static_cast<void>(state_.release()); }

  // Runs in the watchdog's thread; jq looks at the flag before each instruction.
  static void Stop(void* state) { jq_halt(static_cast<jq_state*>(state), jv_invalid(), jv_invalid()); }

  Error Failed(std::string_view why) const {
    return Error::Failure(fmt::format("{}: jq: {}", origin_, EscapeControls(CutUtf8(why, kLongestMessage))));
  }

  State state_;
  std::string program_;
  std::string origin_;
  std::shared_ptr<Watchdog> dog_;
};

class LibjqCompiler final : public Compiler {
 public:
  Result<std::unique_ptr<Program>> Compile(const std::string& program, const std::string& origin) override {
    State state = TakeChecked(program);
    std::string why;
    if (!state) state = Make(program, why);
    if (!state) return Bad(why, origin);
    return std::make_unique<LibjqProgram>(std::move(state), program, origin, dog_);
  }

  Status Check(const std::string& program) override {
    std::string why;
    State state = Make(program, why);
    if (!state) return Bad(why, {});
    std::lock_guard lock(mutex_);
    if (checked_.size() == kMostChecked) checked_.clear();  // of configurations that were refused
    checked_.insert_or_assign(program, std::move(state));
    return {};
  }

 private:
  static State Make(const std::string& program, std::string& why) {
    if (Trim(program).empty()) why = "it is empty";
    if (program.find('\0') != std::string::npos) why = "it holds a zero byte";
    if (!why.empty()) return nullptr;
    std::string message;
    State state = MakeState(program, message);
    if (!state) why = Tidy(std::move(message));
    return state;
  }

  static Error Bad(std::string_view why, std::string_view origin) {
    return Error::Config(fmt::format("{}{}not a jq program: {}", origin, origin.empty() ? "" : ": ", why),
                         "try it on an event: teleport-webhooks watch --once | jq 'PROGRAM'");
  }

  State TakeChecked(const std::string& program) {
    std::lock_guard lock(mutex_);
    auto found = checked_.extract(program);
    return found.empty() ? nullptr : std::move(found.mapped());
  }

  std::mutex mutex_;
  std::map<std::string, State> checked_;  // compiled by Check, not run yet
  std::shared_ptr<Watchdog> dog_ = std::make_shared<Watchdog>(kRunLimit);
};

}  // namespace
}  // namespace tw::jq

extern "C" __attribute__((visibility("default"))) tw::jq::Compiler* TwMakeJqCompiler() {
  tw::jq::CatchAborts();
  return new tw::jq::LibjqCompiler();
}
