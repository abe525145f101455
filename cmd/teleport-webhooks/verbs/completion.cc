#include "cli/completion.h"

#include <string>

#include "verbs/verbs.h"

namespace tw::cli {

int RunCompletion(Invocation& invocation) {
  const auto& shells = invocation.args().positional;
  const std::string shell = shells.size() == 1 ? shells[0] : "";
  std::string script;
  if (shell == "bash") script = BashCompletion();
  if (shell == "zsh") script = ZshCompletion();
  if (shell == "fish") script = FishCompletion();
  if (script.empty()) return invocation.Fail(Error::Usage("name one shell: bash, zsh or fish"));
  const Status written = invocation.out().Write(script);
  return written || invocation.out().closed() ? 0 : invocation.Fail(written.error());
}

}  // namespace tw::cli
