#include "model/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

constexpr size_t kSmallMap = 16;

Error TooDeep() {
  return Error(Code::kResourceExhausted, "lists and mappings are nested too deeply");
}

Error TooLong() { return Error(Code::kResourceExhausted, "text is too long"); }

std::string IntText(int64_t value) { return std::to_string(value); }

class JsonWriter {
 public:
  JsonWriter(std::string& out, const JsonStyle& style, size_t max_bytes)
      : out_(out), style_(style), max_bytes_(max_bytes) {}

  Status Write(const Value& v, unsigned level) {
    if (out_.size() > max_bytes_) return TooLong();
    if (v.is_function()) return Error(Code::kInvalidArgument, "a function has no JSON form");
    if (v.is_undefined()) out_ += style_.undefined_as_null ? "null" : "undefined";
    if (v.is_null()) out_ += "null";
    if (v.is_bool()) out_ += v.as_bool() ? "true" : "false";
    if (v.is_int()) out_ += IntText(v.as_int());
    if (v.is_float()) out_ += NumberText(v.as_double());
    if (v.is_string()) AppendJsonString(out_, v.as_string(), style_.ascii_only);
    if (v.is_list()) return WriteList(v.items(), level);
    if (v.has_members()) return WriteMap(v.as_map(), level);
    return Ok{};
  }

 private:
  void Break(unsigned level) {
    if (style_.indent == 0) return;
    out_ += '\n';
    out_.append(size_t{level} * style_.indent, ' ');
  }

  Status WriteList(const std::vector<Value>& items, unsigned level) {
    out_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      Break(level + 1);
      TT_RETURN_IF_ERROR(Write(items[i], level + 1));
    }
    if (!items.empty()) Break(level);
    out_ += ']';
    return Ok{};
  }

  Status WriteMap(const Map& map, unsigned level) {
    std::vector<const std::pair<std::string, Value>*> order;
    for (const auto& entry : map.entries) order.push_back(&entry);
    if (style_.sort_keys) {
      std::sort(order.begin(), order.end(),
                [](auto* a, auto* b) { return Utf16Less(a->first, b->first); });
    }
    out_ += '{';
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      Break(level + 1);
      AppendJsonString(out_, order[i]->first, style_.ascii_only);
      out_ += style_.key_separator;
      TT_RETURN_IF_ERROR(Write(order[i]->second, level + 1));
    }
    if (!order.empty()) Break(level);
    out_ += '}';
    return Ok{};
  }

  std::string& out_;
  const JsonStyle& style_;
  size_t max_bytes_;
};

Result<Value> NumberFromJson(const Json& json) {
  if (auto integer = json.ToInt64()) return Value(*integer);
  double value = json.as_double();
  if (!std::isfinite(value)) return Error(Code::kInvalidArgument, "a number is not finite");
  // 1.0 is the integer 1, as for JavaScript.
  if (std::fabs(value) < 0x1p63 && value == std::floor(value)) return Value(static_cast<int64_t>(value));
  return Value(value);
}

Result<Value> ConvertJson(const Json& json, unsigned level) {
  if (json.is_null()) return Value::Null();
  if (json.is_bool()) return Value(json.as_bool());
  if (json.is_number()) return NumberFromJson(json);
  if (json.is_string()) return Value(json.as_string());
  if (level >= kMaxNamespaceDepth) return TooDeep();
  if (json.is_array()) {
    std::vector<Value> items;
    items.reserve(json.as_array().size());
    for (const Json& item : json.as_array()) items.push_back(TT_TRY(ConvertJson(item, level + 1)));
    return MakeList(std::move(items));
  }
  auto map = std::make_shared<Map>();
  for (const auto& [key, value] : json.as_object()) {
    Value converted = TT_TRY(ConvertJson(value, level + 1));
    map->Set(key, std::move(converted));
  }
  return MakeMap(std::move(map));
}

// A list as JavaScript's Array.toString gives it.
Result<std::string> ListText(const std::vector<Value>& items, size_t max_bytes) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    if (items[i].is_null()) out += "null";
    if (items[i].is_undefined()) out += "undefined";
    TT_RETURN_IF_ERROR(AppendText(out, items[i], max_bytes));
  }
  return out;
}

// The value as JavaScript's Number() of a primitive.
double PrimitiveNumber(const Value& v) {
  return v.is_string() ? ToNumber(v.as_string()) : v.as_double();
}

}  // namespace

bool Value::is_map() const { return has_members() && !as_map().is_namespace; }
bool Value::is_namespace() const { return has_members() && as_map().is_namespace; }

double Value::as_double() const {
  if (is_bool()) return as_bool() ? 1 : 0;
  return is_int() ? static_cast<double>(as_int()) : std::get<double>(v_);
}

unsigned Value::depth() const {
  if (is_list()) return as_list().depth;
  if (is_namespace()) return kMaxNamespaceDepth + 1;
  return has_members() ? as_map().depth : 0;
}

bool Value::truthy() const {
  if (is_undefined() || is_null()) return false;
  if (is_numeric()) return as_double() != 0;
  if (is_string()) return !as_string().empty();
  if (is_list()) return !items().empty();
  return !is_map() || !as_map().entries.empty();
}

std::string_view Value::type() const {
  static constexpr std::string_view kNames[] = {"undefined", "none", "boolean", "integer", "float",
                                                "string",    "list", "mapping", "function"};
  return is_namespace() ? "namespace" : kNames[v_.index()];
}

bool Value::StrictEquals(const Value& o) const {
  if (is_number() && o.is_number()) {
    return is_int() && o.is_int() ? as_int() == o.as_int() : as_double() == o.as_double();
  }
  if (is_string() && o.is_string()) return as_string() == o.as_string();
  return v_ == o.v_;  // pointers of containers are compared, not what they hold
}

bool Value::LooseEquals(const Value& o) const {
  if (StrictEquals(o)) return true;
  bool empty = is_null() || is_undefined(), other_empty = o.is_null() || o.is_undefined();
  if (empty || other_empty) return empty && other_empty;
  bool primitive = is_numeric() || is_string(), other_primitive = o.is_numeric() || o.is_string();
  if (!primitive || !other_primitive || (is_string() && o.is_string())) return false;
  return PrimitiveNumber(*this) == PrimitiveNumber(o);
}

const Value* Map::Find(std::string_view key) const {
  if (!index_.empty()) {
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : &entries[found->second].second;
  }
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

void Map::Set(std::string key, Value value) {
  if (const Value* found = Find(key)) {
    *const_cast<Value*>(found) = std::move(value);
    return;
  }
  entries.emplace_back(std::move(key), std::move(value));
  if (entries.size() <= kSmallMap) return;
  for (size_t i = index_.size(); i < entries.size(); ++i) index_.emplace(entries[i].first, i);
}

Result<Value> MakeList(std::vector<Value> items, bool tuple) {
  auto list = std::make_shared<List>();
  for (const Value& item : items) list->depth = std::max(list->depth, item.depth() + 1);
  if (list->depth > kMaxValueDepth) return TooDeep();
  list->items = std::move(items);
  list->tuple = tuple;
  return Value(ListRef(std::move(list)));
}

Result<Value> MakeMap(MapRef map) {
  for (const auto& [key, value] : map->entries) map->depth = std::max(map->depth, value.depth() + 1);
  if (map->depth > kMaxValueDepth) return TooDeep();
  return Value(std::move(map));
}

Result<Value> FromJson(const Json& json) { return ConvertJson(json, 0); }

Status AppendJson(std::string& out, const Value& value, const JsonStyle& style, size_t max_bytes) {
  TT_RETURN_IF_ERROR(JsonWriter(out, style, max_bytes).Write(value, 0));
  if (out.size() > max_bytes) return TooLong();
  return Ok{};
}

Status AppendText(std::string& out, const Value& value, size_t max_bytes) {
  if (value.is_undefined() || value.is_null()) return Ok{};
  if (value.is_list() || value.has_members()) {
    return AppendJson(out, value, {.undefined_as_null = false}, max_bytes);
  }
  if (value.is_function()) return Error(Code::kInvalidArgument, "a function cannot be printed");
  if (value.is_string()) out += value.as_string();
  if (value.is_bool()) out += value.as_bool() ? "true" : "false";
  if (value.is_int()) out += IntText(value.as_int());
  if (value.is_float()) out += FloatText(value.as_double());
  if (out.size() > max_bytes) return TooLong();
  return Ok{};
}

Result<std::string> OperandText(const Value& value, size_t max_bytes) {
  if (value.is_string()) return value.as_string();
  if (value.is_list()) return ListText(value.items(), max_bytes);
  std::string out;
  if (!value.is_numeric()) {
    return Error(Code::kInvalidArgument, "cannot join a " + std::string(value.type()) + " to a string");
  }
  if (value.is_float()) return NumberText(value.as_double());
  TT_RETURN_IF_ERROR(AppendText(out, value, max_bytes));
  return out;
}

}  // namespace teetee::model::jinja
