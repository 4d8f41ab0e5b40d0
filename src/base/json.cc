#include "base/json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/check.h"

namespace teetee {
namespace {

namespace bj = boost::json;

Result<Json> Convert(const bj::value& v);

Result<Json> ConvertObject(const bj::object& object) {
  Json out = Json::MakeObject();
  for (const auto& [key, value] : object) {
    out.as_object().emplace_back(std::string(key), TT_TRY(Convert(value)));
  }
  return out;
}

Result<Json> ConvertArray(const bj::array& array) {
  Json out = Json::MakeArray();
  for (const auto& value : array) out.Push(TT_TRY(Convert(value)));
  return out;
}

Result<Json> Convert(const bj::value& v) {
  switch (v.kind()) {
    case bj::kind::null: return Json();
    case bj::kind::bool_: return Json(v.get_bool());
    case bj::kind::int64: return Json(v.get_int64());
    case bj::kind::uint64: return Json(v.get_uint64());
    case bj::kind::double_: return Json(v.get_double());
    case bj::kind::string: return Json(std::string_view(v.get_string()));
    case bj::kind::array: return ConvertArray(v.get_array());
    case bj::kind::object: return ConvertObject(v.get_object());
  }
  return Error(Code::kInternal, "unknown JSON kind");
}

void AppendString(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// Number to text as ECMAScript does it, which RFC 8785 section 3.2.2.3 asks for: the shortest digits that read back equal,
// with an exponent only from 1e21 up and below 1e-6.
void AppendDouble(std::string& out, double v) {
  if (!std::isfinite(v)) {
    out += "null";
    return;
  }
  if (v == 0) {
    out += '0';
    return;
  }
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer - 1, v, std::chars_format::scientific);
  TT_CHECK(error == std::errc());
  *end = '\0';
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int point = std::atoi(text.data() + e + 1) + 1;  // digits before the decimal point
  int count = static_cast<int>(digits.size());
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) out += "." + digits.substr(1);
    out += std::string("e") + (point > 0 ? "+" : "") + std::to_string(point - 1);
  } else if (point <= 0) {
    out += "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  } else if (point >= count) {
    out += digits + std::string(static_cast<size_t>(point - count), '0');
  } else {
    out += digits.substr(0, static_cast<size_t>(point)) + "." + digits.substr(static_cast<size_t>(point));
  }
}

// Order of UTF-16 code units. It differs from the order of UTF-8 bytes only where one side is at or above U+10000.
bool Utf16Less(std::string_view a, std::string_view b) {
  auto rank = [](unsigned char c) { return c >= 0xf0 ? 0xed + 0.5 : double{static_cast<double>(c)}; };
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    return rank(static_cast<unsigned char>(a[i])) < rank(static_cast<unsigned char>(b[i]));
  }
  return a.size() < b.size();
}

struct Style {
  bool sorted = false;
  bool pretty = false;
};

void Write(std::string& out, const Json& v, Style style, int depth);

void NewLine(std::string& out, Style style, int depth) {
  if (!style.pretty) return;
  out += '\n';
  out.append(static_cast<size_t>(depth) * 2, ' ');
}

void WriteArray(std::string& out, const Json::Array& array, Style style, int depth) {
  out += '[';
  for (size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    NewLine(out, style, depth + 1);
    Write(out, array[i], style, depth + 1);
  }
  if (!array.empty()) NewLine(out, style, depth);
  out += ']';
}

void WriteObject(std::string& out, const Json::Object& object, Style style, int depth) {
  std::vector<const Json::Member*> members;
  for (const auto& member : object) members.push_back(&member);
  if (style.sorted) {
    std::sort(members.begin(), members.end(),
              [](auto* a, auto* b) { return Utf16Less(a->first, b->first); });
  }
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ',';
    NewLine(out, style, depth + 1);
    AppendString(out, members[i]->first);
    out += style.pretty ? ": " : ":";
    Write(out, members[i]->second, style, depth + 1);
  }
  if (!members.empty()) NewLine(out, style, depth);
  out += '}';
}

void Write(std::string& out, const Json& v, Style style, int depth) {
  if (v.is_null()) {
    out += "null";
  } else if (v.is_bool()) {
    out += v.as_bool() ? "true" : "false";
  } else if (v.is_string()) {
    AppendString(out, v.as_string());
  } else if (v.is_array()) {
    WriteArray(out, v.as_array(), style, depth);
  } else if (v.is_object()) {
    WriteObject(out, v.as_object(), style, depth);
  } else if (auto integer = v.ToInt64(); v.is_integer() && integer) {
    out += std::to_string(*integer);
  } else if (auto natural = v.ToUint64(); v.is_integer() && natural) {
    out += std::to_string(*natural);
  } else {
    AppendDouble(out, v.as_double());
  }
}

Error FieldError(std::string_view key, std::string_view what) {
  return Error(Code::kInvalidArgument, "field '" + std::string(key) + "': " + std::string(what));
}

bool HasRepeatedKeys(std::string_view text, size_t max_depth);

}  // namespace

namespace {

// A SAX pass that refuses repeated keys: Boost's DOM would keep the last one silently, and two readers could then disagree.
struct KeyChecker {
  static constexpr size_t max_object_size = 1u << 20;
  static constexpr size_t max_array_size = 1u << 22;
  static constexpr size_t max_key_size = 1u << 20;
  static constexpr size_t max_string_size = 1u << 30;

  std::vector<std::vector<std::string>> open;
  std::string key;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(size_t, bj::error_code& ec) {
    auto& keys = open.back();
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
      ec = bj::error::syntax;
      return false;
    }
    open.pop_back();
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(size_t, bj::error_code&) { return true; }
  bool on_key_part(bj::string_view s, size_t, bj::error_code&) {
    key.append(s.data(), s.size());
    return true;
  }
  bool on_key(bj::string_view s, size_t, bj::error_code&) {
    key.append(s.data(), s.size());
    open.back().push_back(std::move(key));
    key.clear();
    return true;
  }
  bool on_string_part(bj::string_view, size_t, bj::error_code&) { return true; }
  bool on_string(bj::string_view, size_t, bj::error_code&) { return true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(int64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_uint64(uint64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_double(double, bj::string_view, bj::error_code&) { return true; }
  bool on_bool(bool, bj::error_code&) { return true; }
  bool on_null(bj::error_code&) { return true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

bool HasRepeatedKeys(std::string_view text, size_t max_depth) {
  bj::parse_options options;
  options.max_depth = max_depth;
  bj::basic_parser<KeyChecker> parser(options);
  bj::error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  return error.failed();
}

}  // namespace

Result<Json> Json::Parse(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return Error(Code::kResourceExhausted,
                 "JSON text of " + std::to_string(text.size()) + " bytes, limit " +
                     std::to_string(limits.max_bytes));
  }
  bj::parse_options options;
  options.max_depth = limits.max_depth;
  bj::parser parser({}, options);
  bj::error_code error;
  size_t used = parser.write(text.data(), text.size(), error);
  if (error) {
    return Error(Code::kInvalidArgument,
                 "not valid JSON near offset " + std::to_string(used) + ": " + error.message());
  }
  if (HasRepeatedKeys(text, limits.max_depth)) {
    return Error(Code::kInvalidArgument, "JSON object with a repeated key");
  }
  return Convert(parser.release());
}

bool Json::is_integer() const {
  return std::holds_alternative<int64_t>(v_) || std::holds_alternative<uint64_t>(v_);
}

bool Json::is_number() const { return is_integer() || std::holds_alternative<double>(v_); }

double Json::as_double() const {
  if (auto* i = std::get_if<int64_t>(&v_)) return static_cast<double>(*i);
  if (auto* u = std::get_if<uint64_t>(&v_)) return static_cast<double>(*u);
  return std::get<double>(v_);
}

Result<int64_t> Json::ToInt64() const {
  if (auto* i = std::get_if<int64_t>(&v_)) return *i;
  if (auto* u = std::get_if<uint64_t>(&v_); u && *u <= uint64_t{INT64_MAX}) {
    return static_cast<int64_t>(*u);
  }
  return Error(Code::kInvalidArgument, "expected an integer");
}

Result<uint64_t> Json::ToUint64() const {
  if (auto* u = std::get_if<uint64_t>(&v_)) return *u;
  if (auto* i = std::get_if<int64_t>(&v_); i && *i >= 0) return static_cast<uint64_t>(*i);
  return Error(Code::kInvalidArgument, "expected an integer that is not negative");
}

const Json* Json::Find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&v_);
  if (!object) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json* Json::Find(std::string_view key) {
  return const_cast<Json*>(static_cast<const Json*>(this)->Find(key));
}

Result<const Json*> Json::Get(std::string_view key) const {
  const Json* value = Find(key);
  if (!value) return FieldError(key, "missing");
  return value;
}

Result<std::string> Json::GetString(std::string_view key) const {
  const Json* value = TT_TRY(Get(key));
  if (!value->is_string()) return FieldError(key, "expected a string");
  return value->as_string();
}

Result<int64_t> Json::GetInt64(std::string_view key) const {
  auto value = TT_TRY(Get(key))->ToInt64();
  if (!value) return FieldError(key, value.error().message());
  return *value;
}

Result<uint64_t> Json::GetUint64(std::string_view key) const {
  auto value = TT_TRY(Get(key))->ToUint64();
  if (!value) return FieldError(key, value.error().message());
  return *value;
}

Result<bool> Json::GetBool(std::string_view key) const {
  const Json* value = TT_TRY(Get(key));
  if (!value->is_bool()) return FieldError(key, "expected true or false");
  return value->as_bool();
}

Result<const Json*> Json::GetArray(std::string_view key) const {
  const Json* value = TT_TRY(Get(key));
  if (!value->is_array()) return FieldError(key, "expected an array");
  return value;
}

Result<const Json*> Json::GetObject(std::string_view key) const {
  const Json* value = TT_TRY(Get(key));
  if (!value->is_object()) return FieldError(key, "expected an object");
  return value;
}

Json& Json::Set(std::string key, Json value) {
  if (Json* found = Find(key)) {
    *found = std::move(value);
  } else {
    std::get<Object>(v_).emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

Json& Json::Push(Json value) {
  std::get<Array>(v_).push_back(std::move(value));
  return *this;
}

std::string Json::Dump() const {
  std::string out;
  Write(out, *this, {}, 0);
  return out;
}

std::string Json::DumpPretty() const {
  std::string out;
  Write(out, *this, {.pretty = true}, 0);
  out += '\n';
  return out;
}

std::string Json::Canonical() const {
  std::string out;
  Write(out, *this, {.sorted = true}, 0);
  return out;
}

}  // namespace teetee
