#include "config/draft.h"

#include <fmt/format.h>

#include "config/setting.h"

namespace tw::config {

ErrorKind KindOf(Layer layer) {
  return layer == Layer::kSet || layer == Layer::kFlag ? ErrorKind::kUsage : ErrorKind::kConfig;
}

const Assigned* Draft::Find(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

const Setting* Draft::Known(std::string_view name) const {
  const Assigned* assigned = Find(name);
  return assigned == nullptr || assigned->in_file ? nullptr : &assigned->value;
}

Setting Draft::Get(std::string_view name) const {
  if (const Assigned* assigned = Find(name)) return assigned->value;
  const KeySpec* spec = FindSpec(section, name);
  if (spec == nullptr || spec->standard.empty() || !spec->scalar() || spec->type == ValueType::kStates)
    return {};
  Parsed parsed = ParseSettingText(*spec, spec->standard);
  return std::holds_alternative<Setting>(parsed) ? std::get<Setting>(std::move(parsed)) : Setting{};
}

bool Draft::Assign(Assigned assigned, Report& report) {
  const auto found = values.find(assigned.spec->name);
  const bool repeatable = assigned.origin.layer >= Layer::kSet;  // the last flag wins
  if (found == values.end() || found->second.origin.layer < assigned.origin.layer ||
      (repeatable && found->second.origin.layer == assigned.origin.layer)) {
    values.insert_or_assign(assigned.spec->name, std::move(assigned));
    return true;
  }
  const Assigned& other = found->second;
  if (other.origin.layer > assigned.origin.layer) return false;
  const bool address = assigned.spec->type == ValueType::kAddress;
  if (address && other.value.text == assigned.value.text) return false;
  std::string hint = fmt::format("keep {}", assigned.spec->name);
  if (assigned.spec->name == "request_states") hint += ", the original read request_statuses only";
  report.problems.push_back(
      {assigned.origin.text, label + "." + assigned.written,
       fmt::format("the same setting is given as {} ({})", other.written, other.origin.text), hint,
       KindOf(assigned.origin.layer), assigned.origin.place});
  return false;
}

Problem Draft::Complain(std::string_view name, std::string what, std::string hint) const {
  const Assigned* assigned = Find(name);
  const Origin& from = assigned == nullptr ? origin : assigned->origin;
  const std::string written = assigned == nullptr ? std::string(name) : assigned->written;
  return {from.text, label + "." + written, std::move(what), std::move(hint), KindOf(from.layer), from.place};
}

}  // namespace tw::config
