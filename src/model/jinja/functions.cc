// Global functions and the methods of strings and mappings.
#include <algorithm>

#include "model/jinja/builtins.h"
#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

Result<std::vector<int64_t>> Integers(const Arguments& arguments, size_t least, size_t most) {
  if (!arguments.keywords.empty() || arguments.positional.size() < least || arguments.positional.size() > most) {
    return Bad("wrong number of arguments");
  }
  std::vector<int64_t> out;
  for (const Value& v : arguments.positional) {
    if (!v.is_int()) return Bad("the arguments must be integers");
    out.push_back(v.as_int());
  }
  return out;
}

Result<Value> MakeRange(Budget& budget, const Arguments& arguments) {
  auto bounds = TT_TRY(Integers(arguments, 1, 3));
  int64_t start = bounds.size() > 1 ? bounds[0] : 0, stop = bounds.size() > 1 ? bounds[1] : bounds[0];
  int64_t step = bounds.size() > 2 ? bounds[2] : 1;
  if (step == 0) return Bad("the step of a range must not be zero");
  if ((step > 0) != (start < stop) || start == stop) return MakeList({});
  uint64_t distance = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                               : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  uint64_t count = (distance - 1) / stride + 1;
  TT_RETURN_IF_ERROR(budget.Items(count));
  std::vector<Value> items;
  for (uint64_t i = 0; i < count; ++i) {
    items.push_back(Value(static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step))));
  }
  return MakeList(std::move(items));
}

// The members of a mapping or a list of pairs, then the keywords.
Result<MapRef> Members(Budget& budget, const Arguments& arguments) {
  if (arguments.positional.size() > 1) return Bad("at most one positional argument");
  auto map = std::make_shared<Map>();
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    if (!source.is_map() && !source.is_list()) return Bad("expected a mapping or a list of pairs");
    TT_RETURN_IF_ERROR(source.is_map() ? budget.Members(source.as_map()) : budget.Items(source.items().size()));
    if (source.is_map()) {
      for (const auto& [key, value] : source.as_map().entries) map->Set(key, value);
    } else {
      for (const Value& pair : source.items()) {
        bool good = pair.is_list() && pair.items().size() == 2 && pair.items()[0].is_string();
        if (!good) return Bad("expected a mapping or a list of pairs");
        TT_RETURN_IF_ERROR(budget.Work(pair.items()[0].as_string().size()));
        map->Set(pair.items()[0].as_string(), pair.items()[1]);
      }
    }
  }
  for (const auto& [key, value] : arguments.keywords) map->Set(key, value);
  return map;
}

Result<Value> MakeNamespace(Budget& budget, const Arguments& arguments) {
  MapRef map = TT_TRY(Members(budget, arguments));
  for (const auto& [key, value] : map->entries) {
    if (value.depth() > kMaxNamespaceDepth) {
      return Bad("a namespace cannot hold a namespace or deeply nested values");
    }
  }
  map->is_namespace = true;
  return Value(std::move(map));
}

Result<Value> SplitSpaces(Budget& budget, std::string_view text, int64_t most) {
  std::vector<Value> parts;
  text = TrimStart(text);
  while (!text.empty()) {
    bool last = most >= 0 && static_cast<int64_t>(parts.size()) >= most;
    size_t end = 0;
    while (end < text.size() && (last || SpaceSize(text, end) == 0)) end += CharacterSize(text, end);
    parts.push_back(Value(std::string(text.substr(0, end))));
    TT_RETURN_IF_ERROR(budget.Items(1));
    text = TrimStart(text.substr(end));
  }
  return MakeList(std::move(parts));
}

Result<Value> Split(Budget& budget, const std::string& text, const Arguments& arguments) {
  const Value* separator = arguments.Get(0, "sep");
  const Value* most_value = arguments.Get(1, "maxsplit");
  if (most_value && !most_value->is_int()) return Bad("maxsplit must be an integer");
  // The reference renderer takes only -1 as "no limit"; a smaller number has no meaning there.
  int64_t most = most_value ? std::max<int64_t>(most_value->as_int(), -1) : -1;
  TT_RETURN_IF_ERROR(budget.Text(text.size()));
  if (!separator || separator->is_null()) return SplitSpaces(budget, text, most);
  if (!separator->is_string() || separator->as_string().empty()) return Bad("the separator must be a string that is not empty");
  const std::string& by = separator->as_string();
  std::vector<Value> parts;
  size_t start = 0;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    size_t hit = Find(text, by, start);
    if (hit == std::string::npos) break;
    parts.push_back(Value(text.substr(start, hit - start)));
    TT_RETURN_IF_ERROR(budget.Items(1));
    start = hit + by.size();
  }
  parts.push_back(Value(text.substr(start)));
  return budget.List(std::move(parts));
}

Result<Value> Affix(const std::string& text, const Arguments& arguments, bool start) {
  if (arguments.positional.empty()) return Bad("expected an argument");
  auto matches = [&](const Value& v) {
    const std::string& affix = v.as_string();
    return start ? text.starts_with(affix) : text.ends_with(affix);
  };
  const Value& pattern = arguments.positional[0];
  if (pattern.is_string()) return Value(matches(pattern));
  if (!pattern.is_list()) return Bad("expected a string or a list of strings");
  for (const Value& v : pattern.items()) {
    if (!v.is_string()) return Bad("expected a string or a list of strings");
    if (matches(v)) return Value(true);
  }
  return Value(false);
}

Result<Value> StringMethod(Budget& budget, const std::string& text, std::string_view name, const Arguments& arguments) {
  if (name == "split") return Split(budget, text, arguments);
  if (name == "replace") return ReplaceText(budget, text, arguments);
  TT_RETURN_IF_ERROR(budget.Work(text.size()));
  if (name == "startswith" || name == "endswith") return Affix(text, arguments, name == "startswith");
  // The reference renderer ignores the argument of the three, so they always strip white space.
  if (name == "strip") return Value(std::string(TrimEnd(TrimStart(text))));
  if (name == "lstrip") return Value(std::string(TrimStart(text)));
  if (name == "rstrip") return Value(std::string(TrimEnd(text)));
  if (name == "upper") return Value(Upper(text));
  if (name == "lower") return Value(Lower(text));
  if (name == "title") return Value(Title(text));
  return Value(Capitalize(text));
}

Result<Value> MapMethod(Budget& budget, const Map& map, std::string_view name, const Arguments& arguments) {
  if (name == "get") {
    if (arguments.positional.empty() || !arguments.positional[0].is_string()) return Bad("the key must be a string");
    if (const Value* found = map.Find(arguments.positional[0].as_string())) return *found;
    return arguments.positional.size() > 1 ? arguments.positional[1] : Value::Null();
  }
  if (name == "items") return MapItems(budget, map);
  if (name == "dictsort") return DictSort(budget, map, arguments);
  TT_RETURN_IF_ERROR(budget.Members(map));
  std::vector<Value> out;
  for (const auto& [key, value] : map.entries) out.push_back(name == "keys" ? Value(key) : value);
  return MakeList(std::move(out));
}

constexpr std::string_view kStringMethods[] = {"upper", "lower", "strip", "title", "capitalize", "rstrip",
                                               "lstrip", "startswith", "endswith", "split", "replace"};
constexpr std::string_view kMapMethods[] = {"get", "items", "keys", "values", "dictsort"};
constexpr std::string_view kGlobals[] = {"raise_exception", "range", "strftime_now", "namespace", "dict"};

bool Among(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const Value* Arguments::Keyword(std::string_view name) const {
  for (const auto& [key, value] : keywords) {
    if (key == name) return &value;
  }
  return nullptr;
}

const Value* Arguments::Get(size_t position, std::string_view name) const {
  return position < positional.size() ? &positional[position] : Keyword(name);
}

Error Bad(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

Result<bool> FlagArgument(const Value* value, bool otherwise, std::string_view name) {
  if (!value) return otherwise;
  if (!value->is_bool()) return Bad(std::string(name) + " must be a boolean");
  return value->as_bool();
}

bool HasMethod(const Value& object, std::string_view name) {
  if (object.is_string()) return Among(kStringMethods, name);
  return object.is_map() && Among(kMapMethods, name);
}

Result<Value> CallMethod(Budget& budget, const Value& object, std::string_view name, const Arguments& arguments) {
  if (!HasMethod(object, name)) return Bad("a value of type " + std::string(object.type()) + " has no such method");
  if (object.is_string()) return StringMethod(budget, object.as_string(), name, arguments);
  return MapMethod(budget, object.as_map(), name, arguments);
}

bool FindGlobal(std::string_view name, Global& out) {
  auto found = std::find(std::begin(kGlobals), std::end(kGlobals), name);
  out = static_cast<Global>(found - std::begin(kGlobals));
  return found != std::end(kGlobals);
}

Result<Value> CallGlobal(Budget& budget, Global global, const Arguments& arguments, int64_t now_unix) {
  switch (global) {
    case Global::kRange: return MakeRange(budget, arguments);
    case Global::kNamespace: return MakeNamespace(budget, arguments);
    case Global::kDict: return MakeMap(TT_TRY(Members(budget, arguments)));
    case Global::kStrftimeNow: {
      if (arguments.positional.size() != 1 || !arguments.positional[0].is_string()) return Bad("expected a format");
      const std::string& format = arguments.positional[0].as_string();
      TT_RETURN_IF_ERROR(budget.Text(uint64_t{format.size()} * 5));
      return Value(FormatTime(now_unix, format));
    }
    case Global::kRaiseException: break;
  }
  return Bad("the template refuses this conversation");
}

}  // namespace teetee::model::jinja
