// JSON values (RFC 8259), parsed within bounds and written in canonical form (RFC 8785) where they are hashed.
// Amounts and hashed numbers travel as decimal strings or as integers, never as doubles.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace teetee {

struct JsonLimits {
  size_t max_bytes = 1u << 20;
  size_t max_depth = 32;
};

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  // in the order written; a repeated key is refused by Parse

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool v) : v_(v) {}
  Json(int v) : v_(int64_t{v}) {}
  Json(int64_t v) : v_(v) {}
  Json(uint64_t v) : v_(v) {}
  Json(uint32_t v) : v_(uint64_t{v}) {}
  Json(double v) : v_(v) {}
  Json(const char* v) : v_(std::string(v)) {}
  Json(std::string v) : v_(std::move(v)) {}
  Json(std::string_view v) : v_(std::string(v)) {}
  Json(Array v) : v_(std::move(v)) {}
  static Json MakeObject(std::initializer_list<Member> members = {}) {
    Json out;
    out.v_ = Object(members);
    return out;
  }
  static Json MakeArray() { return Json(Array{}); }

  // Errors name the offset, never the text.
  static Result<Json> Parse(std::string_view text, JsonLimits limits = {});

  bool is_null() const { return std::holds_alternative<std::monostate>(v_); }
  bool is_bool() const { return std::holds_alternative<bool>(v_); }
  bool is_integer() const;  // int64 or uint64
  bool is_number() const;   // any number
  bool is_string() const { return std::holds_alternative<std::string>(v_); }
  bool is_array() const { return std::holds_alternative<Array>(v_); }
  bool is_object() const { return std::holds_alternative<Object>(v_); }

  // Without checks of their own: REQUIRES the matching is_...().
  bool as_bool() const { return std::get<bool>(v_); }
  const std::string& as_string() const { return std::get<std::string>(v_); }
  const Array& as_array() const { return std::get<Array>(v_); }
  Array& as_array() { return std::get<Array>(v_); }
  const Object& as_object() const { return std::get<Object>(v_); }
  Object& as_object() { return std::get<Object>(v_); }
  double as_double() const;

  // Checked conversions: kInvalidArgument with the wanted type.
  Result<int64_t> ToInt64() const;
  Result<uint64_t> ToUint64() const;

  // Member of an object, or nullptr (also when this is no object).
  const Json* Find(std::string_view key) const;
  Json* Find(std::string_view key);
  // Typed members: kInvalidArgument "field 'x': ..." when absent or of another type.
  Result<std::string> GetString(std::string_view key) const;
  Result<int64_t> GetInt64(std::string_view key) const;
  Result<uint64_t> GetUint64(std::string_view key) const;
  Result<bool> GetBool(std::string_view key) const;
  Result<const Json*> GetArray(std::string_view key) const;
  Result<const Json*> GetObject(std::string_view key) const;
  Result<const Json*> Get(std::string_view key) const;

  Json& Set(std::string key, Json value);  // REQUIRES is_object(); replaces; returns *this
  Json& Push(Json value);                  // REQUIRES is_array(); returns *this

  std::string Dump() const;        // compact, members in the order written
  std::string DumpPretty() const;  // two spaces, trailing line feed
  // RFC 8785: members sorted by UTF-16 code units, no space, numbers as ECMAScript writes them. Integers keep all their
  // digits (RFC 8785 would round those above 2^53: our formats carry such numbers as strings).
  std::string Canonical() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> v_;
};

}  // namespace teetee
