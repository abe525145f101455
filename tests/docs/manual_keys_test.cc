// teleport-webhooks.toml(5) against the program's key table: no key missing, none invented, defaults as they
// are.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "config/keys.h"

namespace tw::config {
namespace {

struct Entry {
  std::string head;  // the line with names and types
  std::string text;  // the indented lines below it, joined
};

const std::map<std::string, std::vector<std::string>>& Sections() {
  static const std::map<std::string, std::vector<std::string>> sections = {
      {"# THE TELEPORT SECTION", {"teleport"}},
      {"# THE WEBHOOK SECTION", {"webhook"}},
      {"# THE ENDPOINT SECTIONS", {"endpoint"}},
      {"# DELIVERY", {"webhook", "endpoint"}},
      {"# THE HTTP SECTION", {"http"}},
      {"# THE CALLBACK SECTION", {"callback"}},
      {"# THE CALLER SECTIONS", {"callback.caller"}},
      {"# THE STATE SECTION", {"state"}},
      {"# THE DIAGNOSTICS SECTION", {"diagnostics"}},
      {"# THE LOG SECTION", {"log"}}};
  return sections;
}

// "webhook.timeout" -> what the manual says about it.
std::map<std::string, Entry> ReadManual() {
  std::map<std::string, Entry> entries;
  std::ifstream file(TW_MANUAL);
  EXPECT_TRUE(file.is_open()) << TW_MANUAL;
  const std::regex name("\\*([a-z0-9_.]+)\\* (=|\\(original\\))");
  std::vector<std::string> sections;
  std::vector<std::string> current;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) {
      const auto found = Sections().find(line);
      sections = found == Sections().end() ? std::vector<std::string>() : found->second;
      current.clear();
    } else if (line.starts_with("\t")) {
      for (const std::string& key : current) entries[key].text += line.substr(1) + " ";
    } else if (line.starts_with("*")) {
      current.clear();
      for (std::sregex_iterator match(line.begin(), line.end(), name), end; match != end; ++match) {
        for (const std::string& section : sections) {
          current.push_back(section + "." + (*match)[1].str());
          entries[current.back()].head = line;
        }
      }
    }
  }
  return entries;
}

TEST(Manual, ExplainsEveryKeyAndInventsNone) {
  std::set<std::string> program;
  for (const KeyInfo& key : Keys()) program.insert(key.FullName());
  std::set<std::string> manual;
  for (const auto& [key, entry] : ReadManual()) {
    manual.insert(key);
    EXPECT_TRUE(program.contains(key)) << key << " is in the manual, but no key of the program";
    EXPECT_FALSE(entry.text.empty()) << key << " is not explained";
  }
  for (const std::string& key : program) EXPECT_TRUE(manual.contains(key)) << key << " is not in the manual";
}

TEST(Manual, TellsTheDefaultsOfTheProgram) {
  const auto entries = ReadManual();
  for (const KeyInfo& key : Keys()) {
    if (key.standard.empty() || !entries.contains(key.FullName())) continue;
    const Entry& entry = entries.at(key.FullName());
    const auto place = entry.text.find("Default: ");
    ASSERT_NE(place, std::string::npos) << key.FullName() << " has the default " << key.standard;
    EXPECT_NE(entry.text.find(key.standard, place), std::string::npos)
        << key.FullName() << ": " << entry.text << "does not tell the default " << key.standard;
  }
}

TEST(Manual, NamesEveryChoice) {
  const auto entries = ReadManual();
  for (const KeyInfo& key : Keys()) {
    if (key.choices.empty() || !entries.contains(key.FullName())) continue;
    const Entry& entry = entries.at(key.FullName());
    const std::string all = entry.head + entry.text;
    std::string::size_type begin = 0;
    while (begin <= key.choices.size()) {
      const auto end = std::min(key.choices.find('|', begin), key.choices.size());
      const std::string choice = key.choices.substr(begin, end - begin);
      EXPECT_NE(all.find(choice), std::string::npos) << key.FullName() << " does not name " << choice;
      begin = end + 1;
    }
  }
}

TEST(Manual, MarksTheKeysOfTheOriginalPlugin) {
  const auto entries = ReadManual();
  for (const KeyInfo& key : Keys()) {
    if (!key.original || key.list_section || !entries.contains(key.FullName())) continue;
    EXPECT_NE(entries.at(key.FullName()).head.find("(original)"), std::string::npos) << key.FullName();
  }
}

}  // namespace
}  // namespace tw::config
