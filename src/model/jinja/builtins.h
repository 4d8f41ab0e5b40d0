// Filters, tests, methods and global functions. Their errors carry no line (the interpreter adds it) and never quote a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/jinja/ast.h"
#include "model/jinja/budget.h"
#include "model/jinja/value.h"

namespace teetee::model::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;

  const Value* Keyword(std::string_view name) const;
  // The argument at a position or of a name; nullptr when absent.
  const Value* Get(size_t position, std::string_view name) const;
};

Error Bad(std::string what);                      // kInvalidArgument
Result<bool> FlagArgument(const Value* value, bool otherwise, std::string_view name);

// called: the filter was written with parentheses.
Result<Value> ApplyFilter(Budget& budget, std::string_view name, const Value& operand, bool called,
                          const Arguments& arguments);
Result<bool> ApplyTest(Budget& budget, std::string_view name, const Value& operand,
                       const std::vector<Value>& arguments);
Result<Value> CallMethod(Budget& budget, const Value& object, std::string_view name,
                         const Arguments& arguments);
bool IsFilter(std::string_view name);
bool IsTest(std::string_view name);
bool HasMethod(const Value& object, std::string_view name);

enum class Global : uint32_t { kRaiseException, kRange, kStrftimeNow, kNamespace, kDict };
// True when name is a global function.
bool FindGlobal(std::string_view name, Global& out);
Result<Value> CallGlobal(Budget& budget, Global global, const Arguments& arguments, int64_t now_unix);

Result<Value> ApplyBinary(Budget& budget, Op op, const Value& left, const Value& right);
Result<Value> ApplySlice(Budget& budget, const Value& object, const Value& start, const Value& stop,
                         const Value& step);
// object.name and object[index]; undefined when there is none.
Result<Value> GetMember(const Value& object, std::string_view name);
Result<Value> GetIndex(Budget& budget, const Value& object, const Value& index);
// A path such as "function.name" or "items.0"; undefined when a part is missing.
Value GetPath(const Value& object, std::string_view path);

// Shared by filters and methods.
Result<Value> DictSort(Budget& budget, const Map& map, const Arguments& arguments);
Result<Value> SortItems(Budget& budget, const std::vector<Value>& items, const std::vector<Value>& keys,
                        bool reverse, bool case_sensitive);
Result<Value> ReplaceText(Budget& budget, const std::string& text, const Arguments& arguments);
Result<Value> MapItems(Budget& budget, const Map& map);

}  // namespace teetee::model::jinja
