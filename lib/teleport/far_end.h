// FarEnd: one side of a pump, a byte stream that may need work on its way (TLS records, WebSocket frames).
// Non-blocking; for one thread. Internal to lib/teleport.
#pragma once

#include <cstddef>

#include "base/error.h"

namespace tw::teleport {

enum class Io { kDone, kWait, kEnd, kError };

class FarEnd {
 public:
  virtual ~FarEnd() = default;
  virtual int fd() const = 0;
  // kDone: 1 to `size` bytes, told in `count`. kWait: poll for read_wait() and call again. kEnd: no more
  // comes.
  virtual Io Read(char* buffer, std::size_t size, std::size_t& count) = 0;
  // kDone: `count` bytes were taken over. kWait: poll for write_wait() and call again with the same bytes.
  virtual Io Write(const char* bytes, std::size_t size, std::size_t& count) = 0;
  // Sends what was taken over but not sent yet. kDone: nothing is left; kWait: poll for POLLOUT.
  virtual Io Flush() { return Io::kDone; }
  virtual short read_wait() const = 0;
  virtual short write_wait() const = 0;
  // Says that nothing more will be written. Best effort.
  virtual void CloseWrite() = 0;
  // Why the last call said kEnd or kError.
  virtual Error why() const = 0;
};

}  // namespace tw::teleport
