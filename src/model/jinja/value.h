// Values of the chat template engine. Strings, lists and maps are shared and immutable; only a namespace changes, and it may hold
// neither a namespace nor anything that contains one, so no cycle can arise. Every container knows how deep it is nested, which
// bounds all recursion over values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace teetee::model::jinja {

inline constexpr unsigned kMaxValueDepth = 128;      // lists and maps inside each other
inline constexpr unsigned kMaxNamespaceDepth = 64;   // of what a namespace holds and of the context
inline constexpr unsigned kMaxIndent = 64;           // of tojson and indent

class Value;
struct Map;

struct List {
  std::vector<Value> items;
  unsigned depth = 1;
  bool tuple = false;
};

// A macro (index = its node), a global function, or the name of a method without its object (which cannot be called).
struct Function {
  enum class Kind : uint8_t { kMacro, kGlobal, kMethod } kind;
  uint32_t index;
  bool operator==(const Function&) const = default;
};

using Text = std::shared_ptr<const std::string>;
using ListRef = std::shared_ptr<const List>;
using MapRef = std::shared_ptr<Map>;

class Value {
 public:
  Value() = default;  // undefined
  static Value Null() { return Value(nullptr); }
  explicit Value(std::nullptr_t) : v_(nullptr) {}
  explicit Value(bool v) : v_(v) {}
  explicit Value(int64_t v) : v_(v) {}
  explicit Value(double v) : v_(v) {}
  explicit Value(std::string v) : v_(std::make_shared<const std::string>(std::move(v))) {}
  explicit Value(ListRef v) : v_(std::move(v)) {}
  explicit Value(MapRef v) : v_(std::move(v)) {}
  explicit Value(Function v) : v_(v) {}

  bool is_undefined() const { return Is<std::monostate>(); }
  bool is_null() const { return Is<std::nullptr_t>(); }
  bool is_bool() const { return Is<bool>(); }
  bool is_int() const { return Is<int64_t>(); }
  bool is_float() const { return Is<double>(); }
  bool is_number() const { return is_int() || is_float(); }
  bool is_numeric() const { return is_number() || is_bool(); }
  bool is_string() const { return Is<Text>(); }
  bool is_list() const { return Is<ListRef>(); }
  bool is_map() const;        // a mapping: no namespace
  bool is_namespace() const;
  bool has_members() const { return Is<MapRef>(); }  // mapping or namespace
  bool is_function() const { return Is<Function>(); }

  // REQUIRES the matching is_...().
  bool as_bool() const { return std::get<bool>(v_); }
  int64_t as_int() const { return std::get<int64_t>(v_); }
  double as_double() const;  // of is_numeric()
  const std::string& as_string() const { return *std::get<Text>(v_); }
  const List& as_list() const { return *std::get<ListRef>(v_); }
  const std::vector<Value>& items() const { return as_list().items; }
  Map& as_map() const { return *std::get<MapRef>(v_); }
  Function as_function() const { return std::get<Function>(v_); }

  unsigned depth() const;            // 0 for scalars
  bool truthy() const;
  std::string_view type() const;     // for messages: "string", "list", ...

  bool StrictEquals(const Value& other) const;  // JavaScript's ===; containers by identity
  bool LooseEquals(const Value& other) const;   // JavaScript's ==

 private:
  template <class T>
  bool Is() const {
    return std::holds_alternative<T>(v_);
  }
  std::variant<std::monostate, std::nullptr_t, bool, int64_t, double, Text, ListRef, MapRef, Function>
      v_;
};

// An ordered mapping of strings with logarithmic search once it is large.
struct Map {
  std::vector<std::pair<std::string, Value>> entries;
  unsigned depth = 1;
  bool is_namespace = false;

  const Value* Find(std::string_view key) const;
  void Set(std::string key, Value value);  // keeps the place of a key that is there

 private:
  std::map<std::string, size_t, std::less<>> index_;  // empty while the map is small
};

// Containers with their depth. Error: kResourceExhausted when nested too deeply.
Result<Value> MakeList(std::vector<Value> items, bool tuple = false);
Result<Value> MakeMap(MapRef map);
Result<Value> FromJson(const Json& json);

struct JsonStyle {
  unsigned indent = 0;  // 0: one line
  bool ascii_only = false;
  bool sort_keys = false;
  bool undefined_as_null = true;
  std::string item_separator = ", ";  // with indent: ","
  std::string key_separator = ": ";
};
// Appends JSON text as JSON.stringify and Python's json.dumps give it. Stops with kResourceExhausted beyond max_bytes.
Status AppendJson(std::string& out, const Value& value, const JsonStyle& style, size_t max_bytes);
// What {{ value }} prints; nothing for none and undefined.
Status AppendText(std::string& out, const Value& value, size_t max_bytes);
// What `+`, `~` and join take from an operand. Error for a mapping and what else has no text there.
Result<std::string> OperandText(const Value& value, size_t max_bytes);

}  // namespace teetee::model::jinja
