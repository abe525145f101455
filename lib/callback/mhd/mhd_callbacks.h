// The C functions that libmicrohttpd calls, all on its event thread; each hands over to MhdServer.
#pragma once

#include <microhttpd.h>

#include <cstdarg>

namespace tw::callback {

struct MhdCallbacks {
  static void OnConnection(void* self, MHD_Connection* mhd, void** context,
                           MHD_ConnectionNotificationCode what);
  static void* OnTarget(void* self, const char* target, MHD_Connection* mhd);
  static MHD_Result OnRequest(void* self, MHD_Connection* mhd, const char* url, const char* method,
                              const char* version, const char* data, std::size_t* size, void** context);
  static void OnCompleted(void* self, MHD_Connection* mhd, void** context, MHD_RequestTerminationCode why);
  static std::size_t KeepEscapes(void* self, MHD_Connection* mhd, char* text);
  static void OnLog(void* log, const char* format, va_list arguments);
};

}  // namespace tw::callback
