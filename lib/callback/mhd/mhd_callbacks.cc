#include "callback/mhd/mhd_callbacks.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "callback/mhd/mhd_server.h"

namespace tw::callback {
namespace {

MHD_Result Verdict(bool good) {
  return good ? MHD_YES : MHD_NO;
}

Connection* ConnectionOf(MHD_Connection* mhd) {
  const auto* info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
}

}  // namespace

void MhdCallbacks::OnConnection(void* self, MHD_Connection* mhd, void** context,
                                MHD_ConnectionNotificationCode what) {
  auto& server = *static_cast<MhdServer*>(self);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = server.Opened(mhd);
  } else if (*context != nullptr) {
    server.connections_->Remove(static_cast<Connection*>(*context));
    *context = nullptr;
  }
}

void* MhdCallbacks::OnTarget(void* self, const char* target, MHD_Connection* mhd) {
  Connection* const connection = ConnectionOf(mhd);
  if (connection != nullptr) static_cast<MhdServer*>(self)->BeginRequest(*connection, target);
  return connection;
}

MHD_Result MhdCallbacks::OnRequest(void* self, MHD_Connection*, const char*, const char* method,
                                   const char* version, const char* data, std::size_t* size, void** context) {
  auto& server = *static_cast<MhdServer*>(self);
  if (*context == nullptr) return MHD_NO;
  Connection& connection = *static_cast<Connection*>(*context);
  Connection::Exchange& exchange = connection.exchange;
  if (connection.answered.load(std::memory_order_acquire))
    return Verdict(server.Answer(connection, *exchange.answer));
  if (!exchange.begun) {
    exchange.begun = true;
    auto refusal = server.ReadHead(connection, method, version);
    if (!refusal) return MHD_YES;
    refusal->close = true;  // the body was not read
    return Verdict(server.Answer(connection, *refusal));
  }
  if (*size == 0) return Verdict(server.Dispatch(connection));
  const bool taken = server.TakeBody(connection, data, *size);
  *size = 0;
  return Verdict(taken);
}

void MhdCallbacks::OnCompleted(void* self, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
  if (*context == nullptr) return;
  auto& server = *static_cast<MhdServer*>(self);
  Connection& connection = *static_cast<Connection*>(*context);
  connection.exchange = {};
  connection.answered = false;
  server.connections_->Enter(&connection, Phase::kAwaiting,
                             std::chrono::steady_clock::now() + server.options_.idle_timeout);
  *context = nullptr;
}

// Decoding is the routes' business: they must see what was signed and logged.
std::size_t MhdCallbacks::KeepEscapes(void*, MHD_Connection*, char* text) {
  return std::strlen(text);
}

void MhdCallbacks::OnLog(void* log, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  static_cast<Logger*>(log)->Debug("http listener", {{"detail", std::string(Trim(text.data()))}});
}

}  // namespace tw::callback
