// Filters over lists, and the tests (`is ...`) that some of them apply.
#include <algorithm>
#include <set>

#include "model/jinja/filters.h"
#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

using Call = FilterCall;

Result<Value> CharacterList(Budget& budget, const std::string& text) {
  TT_RETURN_IF_ERROR(budget.Items(text.size()));
  std::vector<Value> out;
  for (std::string_view c : Characters(text)) out.push_back(Value(std::string(c)));
  return MakeList(std::move(out));
}

Result<Value> ToList(const Call& c) {
  if (c.operand.is_list()) return c.operand;
  if (c.operand.is_string()) return CharacterList(c.budget, c.operand.as_string());
  if (!c.operand.is_map()) return WrongType(c);
  return CallMethod(c.budget, c.operand, "keys", {});
}

Result<Value> FirstOrLast(const Call& c) {
  Value list = TT_TRY(ToList(c));
  if (list.items().empty()) return Value();
  return c.name == "first" ? list.items().front() : list.items().back();
}

Result<Value> Reverse(const Call& c) {
  if (!c.operand.is_list() && !c.operand.is_string()) return WrongType(c);
  Value list = TT_TRY(ToList(c));
  if (c.operand.is_list()) return c.budget.List({list.items().rbegin(), list.items().rend()});
  std::string out;
  for (auto i = list.items().rbegin(); i != list.items().rend(); ++i) out += i->as_string();
  return c.budget.MakeString(std::move(out));
}

Result<Value> Join(const Call& c) {
  if (!c.operand.is_list() && !c.operand.is_string()) return WrongType(c);
  const Value* separator = c.arguments.Get(0, "separator");
  if (separator && !separator->is_string()) return Bad("the separator must be a string");
  if (c.operand.is_string() && !separator) return c.operand;
  Value list = TT_TRY(ToList(c));
  std::string out;
  for (size_t i = 0; i < list.items().size(); ++i) {
    const Value& item = list.items()[i];
    if (i > 0 && separator) out += separator->as_string();
    if (item.is_undefined() || item.is_null()) continue;
    out += TT_TRY(OperandText(item, c.budget.max_text()));
    if (out.size() > c.budget.max_text()) break;
  }
  return c.budget.MakeString(std::move(out));
}

struct StrictOrder {
  // Any order that agrees with StrictEquals for scalars; containers by identity.
  bool operator()(const Value& a, const Value& b) const {
    if (a.is_string() && b.is_string()) return a.as_string() < b.as_string();
    if (a.is_number() && b.is_number()) return a.as_double() < b.as_double();
    auto rank = [](const Value& v) { return v.is_number() ? 0 : v.is_string() ? 1 : v.is_bool() ? 2 + v.as_bool() : 4; };
    return rank(a) < rank(b);
  }
};

Result<Value> Unique(const Call& c) {
  if (!c.operand.is_list()) return WrongType(c);
  std::set<Value, StrictOrder> seen;
  std::vector<Value> others, out;  // others: what the order does not tell apart
  for (const Value& item : c.operand.items()) {
    TT_RETURN_IF_ERROR(c.budget.Work(16 * kItemBytes + (item.is_string() ? 20 * item.as_string().size() : 8 * others.size())));
    bool fresh;
    if (item.is_numeric() || item.is_string()) {
      fresh = seen.insert(item).second;
    } else {
      fresh = std::none_of(others.begin(), others.end(), [&](const Value& v) { return v.StrictEquals(item); });
      if (fresh) others.push_back(item);
    }
    if (fresh) out.push_back(item);
  }
  return c.budget.List(std::move(out));
}

Result<Value> Sort(const Call& c) {
  if (!c.operand.is_list()) return WrongType(c);
  bool reverse = TT_TRY(FlagArgument(c.arguments.Get(0, "reverse"), false, "reverse"));
  bool case_sensitive = TT_TRY(FlagArgument(c.arguments.Get(1, "case_sensitive"), false, "case_sensitive"));
  const Value* attribute = c.arguments.Get(2, "attribute");
  if (!attribute || attribute->is_null()) {
    return SortItems(c.budget, c.operand.items(), c.operand.items(), reverse, case_sensitive);
  }
  if (!attribute->is_string() && !attribute->is_int()) return Bad("attribute must be a string or an integer");
  std::string path = TT_TRY(OperandText(*attribute, c.budget.max_text()));
  std::vector<Value> keys;
  for (const Value& item : c.operand.items()) {
    TT_RETURN_IF_ERROR(c.budget.Work(kItemBytes + path.size()));
    keys.push_back(GetPath(item, path));
  }
  return SortItems(c.budget, c.operand.items(), keys, reverse, case_sensitive);
}

Result<Value> MapAttribute(const Call& c, const Value& attribute) {
  if (!attribute.is_string()) return Bad("attribute must be a string");
  const Value* otherwise = c.arguments.Keyword("default");
  std::vector<Value> out;
  for (const Value& item : c.operand.items()) {
    if (!item.has_members()) return Bad("map applies to a list of mappings");
    TT_RETURN_IF_ERROR(c.budget.Work(kItemBytes + attribute.as_string().size()));
    Value value = GetPath(item, attribute.as_string());
    out.push_back(value.is_undefined() && otherwise ? *otherwise : value);
  }
  return MakeList(std::move(out));
}

// map(attribute=...) or map("filter", arguments ...).
Result<Value> MapFilter(const Call& c) {
  if (!c.operand.is_list()) return WrongType(c);
  if (const Value* attribute = c.arguments.Keyword("attribute")) return MapAttribute(c, *attribute);
  const auto& positional = c.arguments.positional;
  if (positional.empty() || !positional[0].is_string()) return Bad("map needs an attribute or the name of a filter");
  const std::string& name = positional[0].as_string();
  if (name == "map") return Bad("map cannot apply itself");
  Arguments rest{{positional.begin() + 1, positional.end()}, c.arguments.keywords};
  std::vector<Value> out;
  for (const Value& item : c.operand.items()) {
    TT_RETURN_IF_ERROR(c.budget.Work(kItemBytes));
    TT_RETURN_IF_ERROR(c.budget.Step());
    out.push_back(TT_TRY(ApplyFilter(c.budget, name, item, !rest.positional.empty(), rest)));
  }
  return MakeList(std::move(out));
}

// Whether the test named by the argument at a position, or truth without one, holds.
Result<bool> Holds(const Call& c, size_t position, const Value& value) {
  const auto& positional = c.arguments.positional;
  if (position >= positional.size()) return value.truthy();
  if (!positional[position].is_string()) return Bad("the name of a test must be a string");
  auto first = positional.begin() + static_cast<ptrdiff_t>(position) + 1;
  return ApplyTest(c.budget, positional[position].as_string(), value, {first, positional.end()});
}

// select, reject: by the item; selectattr, rejectattr: by one of its members.
Result<Value> Select(const Call& c) {
  if (!c.operand.is_list()) return WrongType(c);
  bool by_member = c.name.ends_with("attr"), keep = c.name.starts_with("select");
  const auto& positional = c.arguments.positional;
  if (by_member && (positional.empty() || !positional[0].is_string())) return Bad("expected the name of a member");
  std::vector<Value> out;
  for (const Value& item : c.operand.items()) {
    TT_RETURN_IF_ERROR(c.budget.Work(kItemBytes));
    if (by_member && !item.has_members()) return Bad("the filter applies to a list of mappings");
    const Value* subject = by_member ? item.as_map().Find(positional[0].as_string()) : &item;
    bool holds = subject && TT_TRY(Holds(c, by_member ? 1 : 0, *subject));
    if (holds == keep) out.push_back(item);
  }
  return MakeList(std::move(out));
}

bool AllAre(const std::vector<Value>& values, bool (Value::*is)() const) {
  return std::all_of(values.begin(), values.end(), [&](const Value& v) { return (v.*is)(); });
}

Result<bool> IsOdd(const Value& v) {
  if (!v.is_int()) return Bad("the test applies to integers only");
  return v.as_int() % 2 != 0;
}

Result<bool> TestWithArgument(Budget& budget, std::string_view name, const Value& v, const Value& argument) {
  if (name == "eq" || name == "equalto") return v.StrictEquals(argument);
  if (name == "ne") return !v.StrictEquals(argument);
  if (name == "divisibleby") {
    if (!v.is_int() || !argument.is_int() || argument.as_int() == 0) return Bad("divisibleby needs two integers");
    return argument.as_int() == -1 || v.as_int() % argument.as_int() == 0;
  }
  if (!argument.is_list()) return Bad("the test 'in' needs a list");
  size_t each = 8 + (v.is_string() ? v.as_string().size() : 0);
  TT_RETURN_IF_ERROR(budget.Work(argument.items().size() * each));
  return std::any_of(argument.items().begin(), argument.items().end(),
                     [&](const Value& item) { return item.StrictEquals(v); });
}

}  // namespace

Result<bool> ApplyTest(Budget& budget, std::string_view name, const Value& v, const std::vector<Value>& arguments) {
  TT_RETURN_IF_ERROR(budget.Step());
  if (v.is_string()) TT_RETURN_IF_ERROR(budget.Work(v.as_string().size() / 16));
  if (name == "eq" || name == "equalto" || name == "ne" || name == "in" || name == "divisibleby") {
    return TestWithArgument(budget, name, v, arguments.empty() ? Value() : arguments[0]);
  }
  if (name == "defined") return !v.is_undefined();
  if (name == "undefined") return v.is_undefined();
  if (name == "none") return v.is_null();
  if (name == "string") return v.is_string();
  if (name == "number") return v.is_number();
  if (name == "integer") return v.is_int();
  if (name == "float") return v.is_float();
  if (name == "boolean") return v.is_bool();
  if (name == "true") return v.is_bool() && v.as_bool();
  if (name == "false") return v.is_bool() && !v.as_bool();
  if (name == "mapping") return v.is_map();
  if (name == "iterable") return v.is_string() || (v.is_list() && !v.as_list().tuple);
  if (name == "sequence") return v.is_string() || v.is_list() || v.is_map();
  if (name == "callable") return v.is_function();
  if (name == "odd") return IsOdd(v);
  if (name == "even") return !TT_TRY(IsOdd(v));
  if (name == "lower") return v.is_string() && v.as_string() == Lower(v.as_string());
  if (name == "upper") return v.is_string() && v.as_string() == Upper(v.as_string());
  return Bad("unknown test");
}

bool IsTest(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "eq", "equalto", "ne", "in", "divisibleby", "defined", "undefined", "none", "string", "number", "integer", "float",
      "boolean", "true", "false", "mapping", "iterable", "sequence", "callable", "odd", "even", "lower", "upper"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Result<Value> SortItems(Budget& budget, const std::vector<Value>& items, const std::vector<Value>& keys, bool reverse,
                        bool case_sensitive) {
  bool comparable = items.size() < 2 || AllAre(keys, &Value::is_numeric) || AllAre(keys, &Value::is_string) ||
                    AllAre(keys, &Value::is_null) || AllAre(keys, &Value::is_undefined);
  if (!comparable) return Bad("the values to sort cannot be compared with each other");
  struct Entry {
    const Value* key;
    std::string folded;
    size_t index;
  };
  std::vector<Entry> order;
  for (size_t i = 0; i < keys.size(); ++i) {
    size_t size = keys[i].is_string() ? keys[i].as_string().size() : 0;
    TT_RETURN_IF_ERROR(budget.Work(20 * (kItemBytes + size)));
    std::string folded = size == 0 ? "" : case_sensitive ? keys[i].as_string() : Lower(keys[i].as_string());
    order.push_back({&keys[i], std::move(folded), i});
  }
  auto less = [](const Entry& a, const Entry& b) {
    if (a.key->is_string() && b.key->is_string()) return Utf16Less(a.folded, b.folded);
    return a.key->is_numeric() && b.key->is_numeric() && a.key->as_double() < b.key->as_double();
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const Entry& a, const Entry& b) { return reverse ? less(b, a) : less(a, b); });
  std::vector<Value> out;
  for (const Entry& entry : order) out.push_back(items[entry.index]);
  return MakeList(std::move(out));
}

Result<Value> MapItems(Budget& budget, const Map& map) {
  TT_RETURN_IF_ERROR(budget.Members(map));
  TT_RETURN_IF_ERROR(budget.Items(map.entries.size() * 2));
  std::vector<Value> out;
  for (const auto& [key, value] : map.entries) out.push_back(TT_TRY(MakeList({Value(key), value})));
  return MakeList(std::move(out));
}

// dictsort(case_sensitive = false, by = "key" | "value", reverse = false)
Result<Value> DictSort(Budget& budget, const Map& map, const Arguments& arguments) {
  bool case_sensitive = TT_TRY(FlagArgument(arguments.Get(0, "case_sensitive"), false, "case_sensitive"));
  bool reverse = TT_TRY(FlagArgument(arguments.Get(2, "reverse"), false, "reverse"));
  const Value* by = arguments.Get(1, "by");
  bool good = !by || (by->is_string() && (by->as_string() == "key" || by->as_string() == "value"));
  if (!good) return Bad("by must be 'key' or 'value'");
  Value pairs = TT_TRY(MapItems(budget, map));
  std::vector<Value> keys;
  for (const auto& [key, value] : map.entries) keys.push_back(by && by->as_string() == "value" ? value : Value(key));
  return SortItems(budget, pairs.items(), keys, reverse, case_sensitive);
}

void AddListFilters(std::map<std::string_view, FilterFunction>& table) {
  table.insert({{"list", ToList},     {"first", FirstOrLast},    {"last", FirstOrLast},     {"reverse", Reverse},
                {"join", Join},       {"unique", Unique},        {"sort", Sort},            {"map", MapFilter},
                {"select", Select},   {"reject", Select},        {"selectattr", Select},    {"rejectattr", Select}});
}

}  // namespace teetee::model::jinja
