#include "shape.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace tw::recorded {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::int64_t kYearOneSeconds = -62'135'596'800;

// Values that belong to the recorded cluster: ids, the clock, its name, its version, its set of roles.
const std::set<std::string> kVolatile{"types.Metadata.Name",
                                      "types.Metadata.ID",
                                      "types.AccessReview.Created",
                                      "proto.PingResponse.ClusterName",
                                      "proto.PingResponse.ServerVersion",
                                      "proto.PingResponse.ProxyPublicAddr"};
// Present or not by the set-up of the cluster.
const std::set<std::string> kOptional{"proto.PingResponse.ProxyPublicAddr"};
// Sets whose members differ from cluster to cluster: what was recorded must be among them.
const std::set<std::string> kSubsets{"types.AccessCapabilities.RequestableRoles"};

std::string CompareScalars(const Message& want, const Message& got, const FieldDescriptor& field, int index) {
  if (kVolatile.contains(field.full_name())) return {};
  std::string a;
  std::string b;
  google::protobuf::TextFormat::Printer printer;
  printer.PrintFieldValueToString(want, &field, index, &a);
  printer.PrintFieldValueToString(got, &field, index, &b);
  return a == b ? "" : fmt::format("{}: want {}, got {}", field.full_name(), a, b);
}

std::string CompareTimes(const Message& want, const Message& got) {
  google::protobuf::Timestamp a;
  google::protobuf::Timestamp b;
  a.CopyFrom(want);
  b.CopyFrom(got);
  const bool same = (a.seconds() == kYearOneSeconds) == (b.seconds() == kYearOneSeconds) &&
                    (a.seconds() > 0) == (b.seconds() > 0);
  return same ? "" : fmt::format("time {} against {}", a.seconds(), b.seconds());
}

std::string CompareMessages(const Message& want, const Message& got) {
  if (want.GetDescriptor()->full_name() == "google.protobuf.Timestamp") return CompareTimes(want, got);
  return ShapeDifference(want, got);
}

std::vector<std::string> Sorted(const Message& message, const FieldDescriptor& field) {
  std::vector<std::string> values;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    values.push_back(message.GetReflection()->GetRepeatedString(message, &field, i));
  }
  std::ranges::sort(values);
  return values;
}

// Map entries come in any order; sorted by their text they can be paired.
std::vector<const Message*> Elements(const Message& message, const FieldDescriptor& field) {
  std::vector<const Message*> elements;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    elements.push_back(&message.GetReflection()->GetRepeatedMessage(message, &field, i));
  }
  if (field.is_map()) {
    std::ranges::sort(elements, {}, [](const Message* entry) { return entry->ShortDebugString(); });
  }
  return elements;
}

std::string CompareRepeated(const Message& want, const Message& got, const FieldDescriptor& field) {
  if (kSubsets.contains(field.full_name())) {
    const auto inside = std::ranges::includes(Sorted(got, field), Sorted(want, field));
    return inside ? "" : fmt::format("{}: recorded members are missing", field.full_name());
  }
  const int count = want.GetReflection()->FieldSize(want, &field);
  if (got.GetReflection()->FieldSize(got, &field) != count) {
    return fmt::format("{}: want {} elements, got {}", field.full_name(), count,
                       got.GetReflection()->FieldSize(got, &field));
  }
  const bool messages = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const auto a = messages ? Elements(want, field) : std::vector<const Message*>();
  const auto b = messages ? Elements(got, field) : std::vector<const Message*>();
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    std::string difference = messages ? CompareMessages(*a[at], *b[at]) : CompareScalars(want, got, field, i);
    if (!difference.empty()) return fmt::format("{}[{}]: {}", field.name(), i, difference);
  }
  return {};
}

std::string CompareField(const Message& want, const Message& got, const FieldDescriptor& field) {
  if (field.is_repeated()) return CompareRepeated(want, got, field);
  const bool wanted = want.GetReflection()->HasField(want, &field);
  if (wanted != got.GetReflection()->HasField(got, &field)) {
    if (kOptional.contains(field.full_name())) return {};
    return fmt::format("{}: {}", field.full_name(), wanted ? "missing" : "unexpected");
  }
  if (!wanted) return {};
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return CompareScalars(want, got, field, -1);
  const std::string difference = CompareMessages(want.GetReflection()->GetMessage(want, &field),
                                                 got.GetReflection()->GetMessage(got, &field));
  return difference.empty() ? "" : fmt::format("{}: {}", field.name(), difference);
}

std::multiset<int> UnknownNumbers(const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  std::multiset<int> numbers;
  for (int i = 0; i < unknown.field_count(); ++i) numbers.insert(unknown.field(i).number());
  return numbers;
}

}  // namespace

std::string ShapeDifference(const Message& want, const Message& got) {
  if (want.GetDescriptor() != got.GetDescriptor()) {
    return fmt::format("{} against {}", want.GetTypeName(), got.GetTypeName());
  }
  for (int i = 0; i < want.GetDescriptor()->field_count(); ++i) {
    std::string difference = CompareField(want, got, *want.GetDescriptor()->field(i));
    if (!difference.empty()) return difference;
  }
  if (UnknownNumbers(want) != UnknownNumbers(got)) {
    return fmt::format("{}: fields outside our messages differ", want.GetTypeName());
  }
  return {};
}

}  // namespace tw::recorded
