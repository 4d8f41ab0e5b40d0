// The half of the interpreter that computes values.
#include <algorithm>

#include "model/jinja/interpreter.h"

namespace teetee::model::jinja {
namespace {

constexpr size_t kMaxMessage = 300;

// Names a word of the template itself.
Error Unknown(const Node& node, std::string_view what) {
  return TemplateError(node.line, "unknown " + std::string(what) + " '" + node.name.substr(0, 40) + "'");
}

}  // namespace

Result<Value> Interpreter::Eval(NodeId id, Scope& scope) {
  if (id == kNoNode) return Value();
  const Node& node = At(id);
  Counted counted(depth_);
  TT_RETURN_IF_ERROR(Enter(node));
  return EvalSwitch(node, scope);
}

Result<Value> Interpreter::EvalSwitch(const Node& node, Scope& scope) {
  switch (node.kind) {
    case NodeKind::kLiteral: return node.literal;
    case NodeKind::kIdentifier: return Lookup(node, scope);
    case NodeKind::kList:
    case NodeKind::kTuple: return EvalItems(node, scope);
    case NodeKind::kDict: return EvalDict(node, scope);
    case NodeKind::kMember: {
      Value object = TT_TRY(Eval(node.kids[0], scope));
      return AtLine(node.line, node.name.empty() ? GetIndex(budget_, object, node.literal)
                                              : GetMember(object, node.name));
    }
    case NodeKind::kIndex: {
      Value object = TT_TRY(Eval(node.kids[0], scope));
      return AtLine(node.line, GetIndex(budget_, object, TT_TRY(Eval(node.kids[1], scope))));
    }
    case NodeKind::kSlice: return EvalSlice(node, scope);
    case NodeKind::kCall: return EvalCall(node, scope);
    case NodeKind::kNot: return Value(!TT_TRY(Eval(node.kids[0], scope)).truthy());
    case NodeKind::kNegate:
    case NodeKind::kPlus: return EvalSign(node, scope);
    case NodeKind::kAnd:
    case NodeKind::kOr: {
      Value left = TT_TRY(Eval(node.kids[0], scope));
      bool decided = left.truthy() == (node.kind == NodeKind::kOr);
      return decided ? Result<Value>(std::move(left)) : Eval(node.kids[1], scope);
    }
    case NodeKind::kBinary: {
      Value left = TT_TRY(Eval(node.kids[0], scope));
      Value right = TT_TRY(Eval(node.kids[1], scope));
      return AtLine(node.line, ApplyBinary(budget_, node.op, left, right));
    }
    case NodeKind::kFilter: return EvalFilter(node, TT_TRY(Eval(node.kids[0], scope)), scope);
    case NodeKind::kTest: return EvalTest(node, scope);
    case NodeKind::kTernary:
      return Eval(node.kids[TT_TRY(Eval(node.kids[0], scope)).truthy() ? 1 : 2], scope);
    case NodeKind::kSelect:
      return TT_TRY(Eval(node.kids[1], scope)).truthy() ? Eval(node.kids[0], scope) : Result<Value>(Value());
    default: return TemplateError(node.line, "expected an expression");
  }
}

Result<Value> Interpreter::Lookup(const Node& node, Scope& scope) {
  for (const Scope* s = &scope; s; s = s->parent) {
    auto found = s->variables.find(node.name_id);
    if (found != s->variables.end()) return found->second;
    TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Step()));
  }
  return predefined_[node.name_id];
}

Result<Value> Interpreter::EvalItems(const Node& node, Scope& scope) {
  std::vector<Value> items;
  for (NodeId kid : node.kids) items.push_back(TT_TRY(Eval(kid, scope)));
  return AtLine(node.line, budget_.List(std::move(items), node.kind == NodeKind::kTuple));
}

Result<Value> Interpreter::EvalDict(const Node& node, Scope& scope) {
  auto map = std::make_shared<Map>();
  for (size_t i = 0; i < node.kids.size(); i += 2) {
    Value key = TT_TRY(Eval(node.kids[i], scope));
    if (!key.is_string()) return TemplateError(node.line, "the key of a mapping must be a string");
    TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Work(kItemBytes + key.as_string().size())));
    Value value = TT_TRY(Eval(node.kids[i + 1], scope));
    map->Set(key.as_string(), std::move(value));
  }
  return AtLine(node.line, MakeMap(std::move(map)));
}

Result<Value> Interpreter::EvalSlice(const Node& node, Scope& scope) {
  Value parts[4];
  for (size_t i = 0; i < 4; ++i) parts[i] = TT_TRY(Eval(node.kids[i], scope));
  return AtLine(node.line, ApplySlice(budget_, parts[0], parts[1], parts[2], parts[3]));
}

Result<Value> Interpreter::EvalSign(const Node& node, Scope& scope) {
  Value v = TT_TRY(Eval(node.kids[0], scope));
  if (!v.is_numeric()) return TemplateError(node.line, "a sign stands before a value that is no number");
  bool negative = node.kind == NodeKind::kNegate;
  if (v.is_float()) return Value(negative ? -v.as_double() : v.as_double());
  int64_t integer = v.is_bool() ? int64_t{v.as_bool()} : v.as_int();
  if (negative && integer == INT64_MIN) return TemplateError(node.line, "integer out of range");
  return Value(negative ? -integer : integer);
}

Result<Value> Interpreter::EvalFilter(const Node& node, const Value& operand, Scope& scope) {
  if (!IsFilter(node.name)) return Unknown(node, "filter");
  Arguments arguments = TT_TRY(EvalArguments(node, scope));
  return AtLine(node.line, ApplyFilter(budget_, node.name, operand, node.flag, arguments));
}

Result<Value> Interpreter::EvalTest(const Node& node, Scope& scope) {
  if (!IsTest(node.name)) return Unknown(node, "test");
  Value operand = TT_TRY(Eval(node.kids[0], scope));
  Arguments arguments = TT_TRY(EvalArguments(node, scope));
  bool result = TT_TRY(AtLine(node.line, ApplyTest(budget_, node.name, operand, arguments.positional)));
  return Value(result != node.flag);
}

Status Interpreter::AddKeyword(const Node& node, Arguments& arguments, std::string name, Value value) {
  if (arguments.Keyword(name)) return TemplateError(node.line, "a keyword argument is given twice");
  TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Work(kItemBytes + name.size() + arguments.keywords.size() * 8)));
  arguments.keywords.emplace_back(std::move(name), std::move(value));
  return Ok{};
}

// Positional arguments first, then keywords.
Result<Arguments> Interpreter::EvalArguments(const Node& node, Scope& scope) {
  Arguments out;
  for (size_t i = 1; i < node.kids.size(); ++i) {
    const Node& argument = At(node.kids[i]);
    if (argument.kind == NodeKind::kKeywordArgument || argument.kind == NodeKind::kKeywordSpread) continue;
    if (argument.kind != NodeKind::kSpread) {
      out.positional.push_back(TT_TRY(Eval(node.kids[i], scope)));
      continue;
    }
    Value list = TT_TRY(Eval(argument.kids[0], scope));
    if (!list.is_list()) return TemplateError(argument.line, "the argument after '*' must be a list");
    TT_RETURN_IF_ERROR(AtLine(argument.line, budget_.Items(list.items().size())));
    out.positional.insert(out.positional.end(), list.items().begin(), list.items().end());
  }
  for (size_t i = 1; i < node.kids.size(); ++i) {
    const Node& argument = At(node.kids[i]);
    if (argument.kind == NodeKind::kKeywordArgument) {
      Value value = TT_TRY(Eval(argument.kids[0], scope));
      TT_RETURN_IF_ERROR(AddKeyword(argument, out, argument.name, std::move(value)));
    } else if (argument.kind == NodeKind::kKeywordSpread) {
      Value map = TT_TRY(Eval(argument.kids[0], scope));
      if (!map.is_map()) return TemplateError(argument.line, "the argument after '**' must be a mapping");
      for (const auto& [key, value] : map.as_map().entries) {
        TT_RETURN_IF_ERROR(AddKeyword(argument, out, key, value));
      }
    }
  }
  return out;
}

Result<Value> Interpreter::EvalCall(const Node& node, Scope& scope) {
  Arguments arguments = TT_TRY(EvalArguments(node, scope));
  const Node& callee = At(node.kids[0]);
  Value function;
  if (callee.kind == NodeKind::kMember && !callee.name.empty()) {
    Value object = TT_TRY(Eval(callee.kids[0], scope));
    const Value* member = object.has_members() ? object.as_map().Find(callee.name) : nullptr;
    if (!member) return AtLine(node.line, CallMethod(budget_, object, callee.name, arguments));
    function = *member;
  } else {
    function = TT_TRY(Eval(node.kids[0], scope));
  }
  if (!function.is_function()) {
    return TemplateError(node.line, "cannot call a value of type " + std::string(function.type()));
  }
  return CallFunction(node, function.as_function(), arguments, scope);
}

Result<Value> Interpreter::CallFunction(const Node& call, Function function, const Arguments& arguments,
                                        Scope& scope) {
  if (function.kind == Function::Kind::kMacro) return CallMacro(call, At(function.index), arguments, scope);
  if (function.kind == Function::Kind::kMethod) {
    return TemplateError(call.line, "a method cannot be called without its object");
  }
  auto global = static_cast<Global>(function.index);
  if (global == Global::kRaiseException) {
    // The words of the template are told; a computed message may hold words of the conversation and is not.
    bool literal = call.kids.size() == 2 && At(call.kids[1]).literal.is_string();
    std::string what = literal ? At(call.kids[1]).literal.as_string().substr(0, kMaxMessage)
                               : "the template refuses this conversation";
    return TemplateError(call.line, what);
  }
  return AtLine(call.line, CallGlobal(budget_, global, arguments, now_));
}

Result<Value> Interpreter::CallMacro(const Node& call, const Node& macro, const Arguments& arguments,
                                     Scope& caller) {
  Counted counted(calls_);
  if (calls_ > kMaxCallDepth) {
    return TemplateError(call.line, "macros call each other too deeply", Code::kResourceExhausted);
  }
  Scope scope{&caller, {}};
  TT_RETURN_IF_ERROR(BindParameters(call, macro, arguments, scope));
  return Capture(macro, scope);
}

// Every parameter is bound before the first default is computed, so that a default sees the other parameters.
Status Interpreter::BindParameters(const Node& call, const Node& macro, const Arguments& arguments, Scope& scope) {
  const auto& positional = arguments.positional;
  std::vector<bool> used(arguments.keywords.size());
  std::vector<const Node*> defaults;
  for (size_t i = 0; i < macro.kids.size(); ++i) {
    const Node& parameter = At(macro.kids[i]);
    Value& slot = scope.variables[parameter.name_id];
    const Value* keyword = i < positional.size() ? &positional[i] : arguments.Keyword(parameter.name);
    if (keyword) slot = *keyword;
    if (!keyword && parameter.kind == NodeKind::kKeywordArgument) defaults.push_back(&parameter);
    for (size_t k = 0; i >= positional.size() && k < used.size(); ++k) {
      if (arguments.keywords[k].first == parameter.name) used[k] = true;
    }
  }
  TT_RETURN_IF_ERROR(BindRest(call, macro, arguments, used, scope));
  for (const Node* parameter : defaults) {
    scope.variables[parameter->name_id] = TT_TRY(Eval(parameter->kids[0], scope));
  }
  return Ok{};
}

// What no parameter takes goes into varargs and kwargs if the macro uses them, and is an error otherwise.
Status Interpreter::BindRest(const Node& call, const Node& macro, const Arguments& arguments,
                             const std::vector<bool>& used, Scope& scope) {
  auto keywords = std::make_shared<Map>();
  for (size_t k = 0; k < used.size(); ++k) {
    if (!used[k]) keywords->Set(arguments.keywords[k].first, arguments.keywords[k].second);
  }
  std::vector<Value> rest;
  for (size_t i = macro.kids.size(); i < arguments.positional.size(); ++i) rest.push_back(arguments.positional[i]);
  if (!macro.keyword_flag && !keywords->entries.empty()) {
    return TemplateError(call.line, "the macro has no parameter of that name");
  }
  if (!macro.flag && !rest.empty()) return TemplateError(call.line, "too many arguments for the macro");
  if (macro.keyword_flag) {
    scope.variables[kwargs_id_] = TT_TRY(AtLine(call.line, MakeMap(std::move(keywords))));
  }
  if (macro.flag) {
    scope.variables[varargs_id_] = TT_TRY(AtLine(call.line, budget_.List(std::move(rest))));
  }
  return Ok{};
}

}  // namespace teetee::model::jinja
