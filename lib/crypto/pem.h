// PEM blocks in a text file, read the tolerant way Teleport's own reader does (reference page section 5.3):
// line by line, blanks trimmed, whatever stands between the blocks is handed back as plain lines. Pure, any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace tw::crypto {

struct PemBlock {
  std::string label;       // "CERTIFICATE", "RSA PRIVATE KEY", ...
  Secret der;              // the decoded bytes; may be a key
  bool encrypted = false;  // "Proc-Type: 4,ENCRYPTED", or the label says so
  int line = 0;            // of its BEGIN, counted from 1
};

struct PemLine {
  std::string text;  // trimmed, never empty
  int line = 0;
};

struct PemText {
  std::vector<PemBlock> blocks;
  std::vector<PemLine> others;
};

// Error (kCredentials, no file name): an unfinished block, or bytes in one that are not base64; names the
// line.
Result<PemText> ScanPem(std::string_view text);

// One block as text again.
std::string PemEncode(std::string_view label, std::string_view der);

}  // namespace tw::crypto
