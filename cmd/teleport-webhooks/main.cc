// teleport-webhooks: argv in, exit code out.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>

#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/invocation.h"
#include "cli/parse.h"
#include "jq/jq_program.h"
#include "teleport/client.h"
#include "verbs/verbs.h"

namespace tw::cli {
namespace {

// Without 0, 1 and 2 the first files opened would take their place and receive what is printed. Before all
// static objects: gRPC's open an eventfd.
[[gnu::constructor(101)]] void EnsureStandardFiles() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

// The process holds keys and secrets: no core file, no debugger of the same user.
void KeepMemoryPrivate() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int Print(Invocation& invocation, const std::string& text) {
  const Status written = invocation.out().Write(text);
  return written || invocation.out().closed() ? 0 : invocation.Fail(written.error());
}

int Run(int argc, char** argv) {
  auto arguments = Parse(argc, argv);
  if (!arguments) return Invocation(FormatOnly(argc, argv)).Fail(arguments.error());
  Invocation invocation(std::move(*arguments));
  const Arguments& args = invocation.args();
  if (args.Has("help"))
    return Print(invocation, args.command == nullptr ? ProgramHelp() : CommandHelp(*args.command));
  if (args.Has("version")) return RunVersion(invocation);
  if (args.command == nullptr)
    return invocation.Fail(Error::Usage("no command given", "see teleport-webhooks --help"));
  return args.command->run(invocation);
}

}  // namespace
}  // namespace tw::cli

int main(int argc, char** argv) {
  tw::cli::KeepMemoryPrivate();
  tw::cli::BlockSignals();
  tw::jq::ForgetHome();  // nothing here lives in a home directory
  tw::teleport::QuietGrpc();
  try {
    return tw::cli::Run(argc, argv);
  } catch (const std::exception& error) {
    return tw::cli::Invocation(tw::cli::FormatOnly(argc, argv))
        .Fail(tw::Error::Failure(std::string("unexpected: ") + error.what()));
  }
}
