// The shape of a filter, inside the engine only.
#pragma once

#include <map>
#include <string_view>

#include "model/jinja/builtins.h"

namespace teetee::model::jinja {

struct FilterCall {
  Budget& budget;
  std::string_view name;
  const Value& operand;
  bool called;  // written with parentheses
  const Arguments& arguments;
};
using FilterFunction = Result<Value> (*)(const FilterCall&);

Error WrongType(const FilterCall& call);
void AddListFilters(std::map<std::string_view, FilterFunction>& table);

}  // namespace teetee::model::jinja
