#include "store/record_codec.h"

#include <concepts>
#include <map>
#include <optional>
#include <type_traits>
#include <vector>

namespace tw::store {
namespace {

// The first byte. It changes only when old readers could no longer read the rest.
constexpr char kFormat = 1;

struct Damaged {};

// Base 128, low groups first; the sign goes to the lowest bit so that small negatives stay short.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class... T>
  void operator()(const T&... values) {
    (Put(values), ...);
  }

 private:
  void PutNumber(std::uint64_t number) {
    while (number >= 0x80) {
      out_.push_back(static_cast<char>(static_cast<unsigned char>(number | 0x80)));
      number >>= 7;
    }
    out_.push_back(static_cast<char>(number));
  }
  void PutSigned(std::int64_t number) {
    PutNumber((static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63));
  }

  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void Put(T value) { PutSigned(static_cast<std::int64_t>(value)); }
  void Put(const std::string& text) {
    PutNumber(text.size());
    out_ += text;
  }
  void Put(SystemTime time) { PutSigned(time.time_since_epoch().count()); }
  template <class T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }
  template <class T>
  void Put(const std::vector<T>& list) {
    PutNumber(list.size());
    for (const T& item : list) Put(item);
  }
  template <class V>
  void Put(const std::map<std::string, V>& map) {
    PutNumber(map.size());
    for (const auto& [key, value] : map) {
      Put(key);
      Put(value);
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void Put(const T& record) { Fields(*this, record); }

  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  template <class... T>
  void operator()(T&... values) {
    // The end is only legal between the fields of the outermost record, where an older writer stopped.
    ((depth_ == 1 && in_.empty() ? void() : Get(values)), ...);
  }
  template <class T>
  void Whole(T& record) {
    Get(record);
  }

 private:
  std::uint64_t GetNumber() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) throw Damaged();
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return number;
    }
    throw Damaged();
  }
  std::int64_t GetSigned() {
    const std::uint64_t number = GetNumber();
    return static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
  }
  // Every item takes at least one byte, so a larger count is damage and must not become an allocation.
  std::size_t GetCount() {
    const std::uint64_t count = GetNumber();
    if (count > in_.size()) throw Damaged();
    return static_cast<std::size_t>(count);
  }

  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void Get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = GetSigned() != 0;
    } else {
      value = static_cast<T>(GetSigned());
    }
  }
  void Get(std::string& text) {
    const std::size_t size = GetCount();
    text.assign(in_.substr(0, size));
    in_.remove_prefix(size);
  }
  void Get(SystemTime& time) { time = SystemTime(std::chrono::microseconds(GetSigned())); }
  template <class T>
  void Get(std::optional<T>& value) {
    bool present = false;
    Get(present);
    if (present) Get(value.emplace());
  }
  template <class T>
  void Get(std::vector<T>& list) {
    list.resize(GetCount());
    for (T& item : list) Get(item);
  }
  template <class V>
  void Get(std::map<std::string, V>& map) {
    for (std::size_t left = GetCount(); left > 0; --left) {
      std::string key;
      Get(key);
      Get(map[std::move(key)]);
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void Get(T& record) {
    ++depth_;
    Fields(*this, record);
    --depth_;
  }

  std::string_view in_;
  int depth_ = 0;
};

template <class A, class T>
concept Record = std::same_as<std::remove_const_t<A>, T>;

// One list of fields for both directions. New ones go to the end of KnownRequest's list.
template <class Archive, Record<access::ResourceId> T>
void Fields(Archive& archive, T& r) {
  archive(r.cluster, r.kind, r.name, r.sub_resource);
}
template <class Archive, Record<access::Review> T>
void Fields(Archive& archive, T& r) {
  archive(r.author, r.state, r.reason, r.roles, r.created, r.assume_start_time, r.annotations);
}
template <class Archive, Record<access::Threshold> T>
void Fields(Archive& archive, T& r) {
  archive(r.name, r.approve, r.deny, r.filter);
}
template <class Archive, Record<access::AccessList> T>
void Fields(Archive& archive, T& r) {
  archive(r.name, r.title);
}
template <class Archive, Record<access::AccessRequest> T>
void Fields(Archive& archive, T& r) {
  archive(r.id, r.user, r.roles, r.state, r.reason, r.resolve_reason, r.created, r.expires, r.access_expires,
          r.max_duration, r.session_ttl, r.assume_start_time, r.resources, r.suggested_reviewers, r.reviews,
          r.thresholds, r.system_annotations, r.resolve_annotations, r.login_hint, r.access_list, r.kind,
          r.dry_run, r.revision, r.metadata_id);
}
template <class Archive, Record<access::KnownRequest> T>
void Fields(Archive& archive, T& r) {
  archive(r.content, r.content_known, r.gone, r.seq, r.reported_state, r.legacy_states);
}

Error DamagedRecord() {
  return Error::Failure("store: the record of a request is damaged",
                        "restore a copy, or move the file away to start anew (what waits in it is lost)");
}

}  // namespace

std::string EncodeRecord(const access::KnownRequest& record) {
  std::string out(1, kFormat);
  Writer writer(out);
  writer(record);
  return out;
}

Result<access::KnownRequest> DecodeRecord(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat) return DamagedRecord();
  try {
    access::KnownRequest record;
    Reader(bytes.substr(1)).Whole(record);
    return record;
  } catch (const Damaged&) {
    return DamagedRecord();
  }
}

}  // namespace tw::store
