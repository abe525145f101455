#!/usr/bin/env bats
# scripts/check-includes finds what it is there to find.

setup() {
  root=$(mktemp -d "$BATS_TEST_TMPDIR/tree.XXXX")
  mkdir -p "$root"/lib/{base,access,config,webhook,store,callback} "$root"/cmd/teleport-webhooks/{wiring,verbs}
  echo '#pragma once' >"$root/lib/base/text.h"
  check=$BATS_TEST_DIRNAME/../../scripts/check-includes
}

# file, line...: writes the lines there
write() {
  local file=$root/$1
  shift
  printf '%s\n' "$@" >"$file"
}

@test "a tree without a wrong include passes" {
  write lib/access/event.cc '#include <string>' '#include "base/text.h"' '#include <nlohmann/json.hpp>'
  run "$check" "$root"
  [ "$status" -eq 0 ]
}

@test "an include against the arrows is named with file, line and rule" {
  write lib/webhook/payload.h '#pragma once'
  write lib/base/text.cc '#include "base/text.h"' '#include "webhook/payload.h"'
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'lib/base/text.cc:2: #include of webhook/payload.h: lib/base may not know lib/webhook'* ]]
}

@test "only settings.h of the configuration is open to the other rooms" {
  write lib/config/settings.h '#pragma once'
  write lib/config/load.h '#pragma once'
  write lib/callback/routes.cc '#include "config/settings.h"' '#include "config/load.h"'
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'routes.cc:2:'* && $output != *'routes.cc:1:'* ]]
}

@test "a third-party header outside its wrapper is refused" {
  write lib/callback/routes.cc '#include <curl/curl.h>'
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'routes.cc:1: #include of curl/curl.h: libcurl is wrapped by'* ]]
}

@test "a header that shows a third-party type is private to its room" {
  write lib/store/rows.h '#pragma once' '#include <nlohmann/json.hpp>'
  write lib/store/store.h '#pragma once' '#include "store/rows.h"'
  write lib/webhook/deliverer.cc '#include "store/store.h"'
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'deliverer.cc:1:'*'shows nlohmann_json'* ]]
}

@test "verbs may not name an adapter, the wiring may" {
  write lib/store/sqlite_outbox.h '#pragma once'
  write cmd/teleport-webhooks/verbs/serve.cc '#include "store/sqlite_outbox.h"'
  write cmd/teleport-webhooks/wiring/store.cc '#include "store/sqlite_outbox.h"'
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'verbs/serve.cc:1:'*'only the wiring names adapters'* && $output != *'wiring/store.cc'* ]]
}

@test "a file of more than 500 lines is too long" {
  seq 501 | sed 's|^|// |' >"$root/lib/base/long.cc"
  run "$check" "$root"
  [ "$status" -eq 1 ]
  [[ $output == *'lib/base/long.cc:501: longer than 500 lines'* ]]
}
