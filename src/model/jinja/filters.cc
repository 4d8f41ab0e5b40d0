// Filters that take one value to another; those over lists are in list_filters.cc.
#include "model/jinja/filters.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

using Call = FilterCall;

Result<Value> Same(const Call& c) { return c.operand; }

Result<JsonStyle> StyleOf(const Arguments& arguments) {
  JsonStyle style;
  if (const Value* indent = arguments.Keyword("indent"); indent && !indent->is_null()) {
    if (!indent->is_int() || indent->as_int() < 0 || indent->as_int() > kMaxIndent) return Bad("indent is out of range");
    style.indent = static_cast<unsigned>(indent->as_int());
  }
  style.ascii_only = TT_TRY(FlagArgument(arguments.Keyword("ensure_ascii"), false, "ensure_ascii"));
  style.sort_keys = TT_TRY(FlagArgument(arguments.Keyword("sort_keys"), false, "sort_keys"));
  if (style.indent > 0) style.item_separator = ",";
  const Value* separators = arguments.Keyword("separators");
  if (!separators || separators->is_null()) return style;
  bool good = separators->is_list() && separators->items().size() == 2 && separators->items()[0].is_string() &&
              separators->items()[1].is_string();
  if (!good) return Bad("separators must be two strings");
  style.item_separator = separators->items()[0].as_string();
  style.key_separator = separators->items()[1].as_string();
  return style;
}

Result<Value> ToJson(const Call& c) {
  JsonStyle style = TT_TRY(StyleOf(c.arguments));
  std::string out;
  TT_RETURN_IF_ERROR(AppendJson(out, c.operand, style, c.budget.max_text()));
  return c.budget.MakeString(std::move(out));
}

Result<Value> Default(const Call& c) {
  const Value* otherwise = c.arguments.Get(0, "default_value");
  bool falsy_too = TT_TRY(FlagArgument(c.arguments.Get(1, "boolean"), false, "boolean"));
  if (!c.operand.is_undefined() && !(falsy_too && !c.operand.truthy())) return c.operand;
  return otherwise ? *otherwise : Value(std::string());
}

Result<Value> Length(const Call& c) {
  size_t size = 0;
  if (c.operand.is_string()) {
    TT_RETURN_IF_ERROR(c.budget.Work(c.operand.as_string().size()));
    size = Utf16Length(c.operand.as_string());
  } else if (c.operand.is_list()) {
    size = c.operand.items().size();
  } else if (c.operand.is_map()) {
    size = c.operand.as_map().entries.size();
  } else {
    return WrongType(c);
  }
  return Value(static_cast<int64_t>(size));
}

Result<Value> ToText(const Call& c) {
  if (c.operand.is_string()) return c.operand;
  if (c.operand.is_undefined() || c.operand.is_null() || c.operand.has_members()) return WrongType(c);
  std::string out;
  TT_RETURN_IF_ERROR(AppendText(out, c.operand, c.budget.max_text()));
  return c.budget.MakeString(std::move(out));
}

// A filter from string to string.
template <std::string (*F)(std::string_view)>
Result<Value> OnText(const Call& c) {
  if (!c.operand.is_string()) return WrongType(c);
  TT_RETURN_IF_ERROR(c.budget.Work(c.operand.as_string().size()));
  return c.budget.MakeString(F(c.operand.as_string()));
}

Result<Value> Trim(const Call& c) {
  if (!c.operand.is_string()) return WrongType(c);
  if (!c.arguments.positional.empty()) return Bad("trim takes no argument here");
  return c.budget.MakeString(std::string(TrimEnd(TrimStart(c.operand.as_string()))));
}

Result<Value> Indent(const Call& c) {
  if (!c.operand.is_string()) return WrongType(c);
  const Value* width = c.arguments.Get(0, "width");
  if (width && (!width->is_int() || width->as_int() < 0 || width->as_int() > kMaxIndent)) {
    return Bad("width is out of range");
  }
  const Value *first = c.arguments.Get(1, "first"), *blank = c.arguments.Get(2, "blank");
  std::string padding(width ? static_cast<size_t>(width->as_int()) : 4, ' ');
  const std::string& text = c.operand.as_string();
  auto lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  TT_RETURN_IF_ERROR(c.budget.Text(text.size() + lines * padding.size()));
  std::string out;
  bool first_line = true;
  for (size_t start = 0; start <= text.size(); first_line = false) {
    size_t end = std::min(text.find('\n', start), text.size());
    bool skip = (first_line && !(first && first->truthy())) || (end == start && !(blank && blank->truthy()));
    if (!skip) out += padding;
    out.append(text, start, end - start);
    if (end < text.size()) out += '\n';
    start = end + 1;
  }
  return Value(std::move(out));
}

Result<Value> Replace(const Call& c) {
  if (!c.operand.is_string()) return WrongType(c);
  return ReplaceText(c.budget, c.operand.as_string(), c.arguments);
}

Result<Value> ToInteger(const Call& c) {
  const Value* otherwise = c.arguments.Get(0, "default");
  if (c.operand.is_bool()) return Value(int64_t{c.operand.as_bool()});
  if (c.operand.is_int()) return c.operand;
  if (c.operand.is_float()) {
    double down = std::floor(c.operand.as_double());
    if (c.called) return c.operand;  // as in the reference renderer
    if (std::fabs(down) >= 0x1p63) return Bad("integer out of range");
    return Value(static_cast<int64_t>(down));
  }
  if (!c.operand.is_string()) return WrongType(c);
  int64_t value = 0;
  if (ParseInteger(c.operand.as_string(), value)) return Value(value);
  return otherwise ? *otherwise : Value(int64_t{0});
}

Result<Value> ToFloat(const Call& c) {
  const Value* otherwise = c.arguments.Get(0, "default");
  if (c.operand.is_bool()) return Value(c.operand.as_double());
  if (c.operand.is_number()) return c.called ? c.operand : Value(c.operand.as_double());
  if (!c.operand.is_string()) return WrongType(c);
  double value = 0;
  if (ParseFloat(c.operand.as_string(), value)) return Value(value);
  return otherwise ? *otherwise : Value(0.0);
}

Result<Value> ToBool(const Call& c) {
  if (!c.operand.is_bool()) return WrongType(c);
  return c.operand;
}

Result<Value> Absolute(const Call& c) {
  if (c.operand.is_float()) return Value(std::fabs(c.operand.as_double()));
  if (!c.operand.is_int()) return WrongType(c);
  if (c.operand.as_int() == INT64_MIN) return Bad("integer out of range");
  return Value(std::abs(c.operand.as_int()));
}

// round(precision = 0, method = "common" | "ceil" | "floor"): a float, as in Jinja.
Result<Value> Round(const Call& c) {
  if (!c.operand.is_number()) return WrongType(c);
  const Value *precision = c.arguments.Get(0, "precision"), *method = c.arguments.Get(1, "method");
  if (precision && (!precision->is_int() || std::abs(precision->as_int()) > 15)) return Bad("precision is out of range");
  std::string how = method && method->is_string() ? method->as_string() : "common";
  double scale = std::pow(10.0, precision ? static_cast<double>(precision->as_int()) : 0);
  double scaled = c.operand.as_double() * scale;
  double rounded = how == "ceil" ? std::ceil(scaled) : how == "floor" ? std::floor(scaled) : std::nearbyint(scaled);
  if (how != "ceil" && how != "floor" && how != "common") return Bad("unknown method of rounding");
  if (!std::isfinite(rounded / scale)) return Bad("the result is not a finite number");
  return Value(rounded / scale);
}

// A method of mappings that is also a filter.
Result<Value> MappingMethod(const Call& c) {
  if (!c.operand.is_map()) return WrongType(c);
  return CallMethod(c.budget, c.operand, c.name, c.arguments);
}

const std::map<std::string_view, FilterFunction>& Table() {
  static const auto* table = [] {
    auto* out = new std::map<std::string_view, FilterFunction>{
        {"safe", Same},           {"tojson", ToJson},        {"default", Default},
        {"d", Default},           {"length", Length},        {"count", Length},
        {"string", ToText},       {"upper", OnText<Upper>},  {"lower", OnText<Lower>},
        {"title", OnText<Title>}, {"capitalize", OnText<Capitalize>},
        {"trim", Trim},           {"indent", Indent},        {"replace", Replace},
        {"int", ToInteger},       {"float", ToFloat},        {"bool", ToBool},
        {"abs", Absolute},        {"round", Round},          {"items", MappingMethod},
        {"get", MappingMethod},   {"keys", MappingMethod},   {"values", MappingMethod},
        {"dictsort", MappingMethod}};
    AddListFilters(*out);
    return out;
  }();
  return *table;
}

}  // namespace

Error WrongType(const FilterCall& c) {
  return Bad("the filter '" + std::string(c.name) + "' does not apply to a value of type " +
             std::string(c.operand.type()));
}

bool IsFilter(std::string_view name) { return Table().contains(name); }

Result<Value> ApplyFilter(Budget& budget, std::string_view name, const Value& operand, bool called,
                          const Arguments& arguments) {
  auto found = Table().find(name);
  if (found == Table().end()) return Bad("unknown filter");
  return found->second({budget, found->first, operand, called, arguments});
}

Result<Value> ReplaceText(Budget& budget, const std::string& text, const Arguments& arguments) {
  const auto& args = arguments.positional;
  if (args.size() < 2 || !args[0].is_string() || !args[1].is_string()) return Bad("replace needs two strings");
  const Value* count = arguments.Get(2, "count");
  if (count && !count->is_int() && !count->is_null()) return Bad("count must be an integer");
  uint64_t left = count && count->is_int() && count->as_int() >= 0 ? static_cast<uint64_t>(count->as_int()) : UINT64_MAX;
  const std::string &from = args[0].as_string(), &to = args[1].as_string();
  TT_RETURN_IF_ERROR(budget.Work(text.size()));
  std::string out;
  for (size_t at = 0; at <= text.size();) {
    size_t hit = left > 0 ? Find(text, from, at) : std::string::npos;
    size_t end = std::min(hit, text.size());
    out.append(text, at, end - at);
    if (hit == std::string::npos) break;
    out += to;
    --left;
    at = hit + from.size();
    if (from.empty()) {  // between all characters and at both ends
      if (at == text.size()) break;
      size_t size = CharacterSize(text, at);
      out.append(text, at, size);
      at += size;
    }
    if (out.size() > budget.max_text()) break;
  }
  return budget.MakeString(std::move(out));
}

}  // namespace teetee::model::jinja
