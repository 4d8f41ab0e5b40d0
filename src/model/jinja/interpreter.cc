#include "model/jinja/interpreter.h"

#include <algorithm>

namespace teetee::model::jinja {

namespace {

Value Predefined(std::string_view name) {
  if (name == "true" || name == "True") return Value(true);
  if (name == "false" || name == "False") return Value(false);
  if (name == "none" || name == "None") return Value::Null();
  Global global;
  if (FindGlobal(name, global)) return Value(Function{Function::Kind::kGlobal, static_cast<uint32_t>(global)});
  return Value();
}

// The `loop` variable of one round.
MapRef LoopVariable(const std::vector<Value>& items, size_t i) {
  auto integer = [](size_t v) { return Value(static_cast<int64_t>(v)); };
  auto loop = std::make_shared<Map>();
  size_t n = items.size();
  loop->entries = {{"index", integer(i + 1)},
                   {"index0", integer(i)},
                   {"revindex", integer(n - i)},
                   {"revindex0", integer(n - i - 1)},
                   {"first", Value(i == 0)},
                   {"last", Value(i + 1 == n)},
                   {"length", integer(n)},
                   {"previtem", i > 0 ? items[i - 1] : Value()},
                   {"nextitem", i + 1 < n ? items[i + 1] : Value()}};
  for (const auto& [key, value] : loop->entries) loop->depth = std::max(loop->depth, value.depth() + 1);
  return loop;
}

}  // namespace

Interpreter::Interpreter(const Program& program, int64_t now_unix, const RenderLimits& limits)
    : program_(program),
      now_(now_unix),
      budget_(limits),
      loop_id_(NameId("loop")),
      varargs_id_(NameId("varargs")),
      kwargs_id_(NameId("kwargs")) {
  for (const std::string& name : program.names) predefined_.push_back(Predefined(name));
}

uint32_t Interpreter::NameId(std::string_view name) const {
  auto found = std::find(program_.names.begin(), program_.names.end(), name);
  return static_cast<uint32_t>(found - program_.names.begin());
}

Status Interpreter::SetContext(const Json& context) {
  for (uint32_t id = 0; id < program_.names.size(); ++id) {
    const Json* found = context.Find(program_.names[id]);
    if (!found) continue;
    auto value = FromJson(*found);
    if (!value) return std::move(value).error().Context("chat template: context");
    global_.variables[id] = *value;
  }
  return Ok{};
}

Result<std::string> Interpreter::Run() {
  std::string out;
  Flow flow = TT_TRY(ExecBlock(program_.body, global_, out));
  if (flow != Flow::kNormal) return Error(Code::kInvalidArgument, "chat template: break or continue outside a loop");
  return out;
}

Status Interpreter::Enter(const Node& node) {
  if (depth_ > kMaxEvalDepth) return TemplateError(node.line, "nested too deeply", Code::kResourceExhausted);
  return AtLine(node.line, budget_.Step());
}

Status Interpreter::Append(const Node& node, const Value& value, std::string& out) {
  size_t before = out.size();
  TT_RETURN_IF_ERROR(AtLine(node.line, AppendText(out, value, budget_.max_text())));
  return AtLine(node.line, budget_.Work(out.size() - before));
}

Result<Interpreter::Flow> Interpreter::ExecBlock(const std::vector<NodeId>& block, Scope& scope, std::string& out) {
  for (NodeId id : block) {
    Flow flow = TT_TRY(Exec(At(id), id, scope, out));
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Result<Interpreter::Flow> Interpreter::Exec(const Node& node, NodeId id, Scope& scope, std::string& out) {
  Counted counted(depth_);
  TT_RETURN_IF_ERROR(Enter(node));
  switch (node.kind) {
    case NodeKind::kText: TT_RETURN_IF_ERROR(Append(node, node.literal, out)); break;
    case NodeKind::kIf: return ExecIf(node, scope, out);
    case NodeKind::kFor: return ExecFor(node, scope, out);
    case NodeKind::kSet: TT_RETURN_IF_ERROR(ExecSet(node, scope)); break;
    case NodeKind::kMacro: scope.variables[node.name_id] = Value(Function{Function::Kind::kMacro, id}); break;
    case NodeKind::kFilterBlock: {
      Value text = TT_TRY(Capture(node, scope));
      TT_RETURN_IF_ERROR(Append(node, TT_TRY(EvalFilter(node, text, scope)), out));
      break;
    }
    case NodeKind::kBreak: return Flow::kBreak;
    case NodeKind::kContinue: return Flow::kContinue;
    default: TT_RETURN_IF_ERROR(Append(node, TT_TRY(Eval(id, scope)), out));
  }
  return Flow::kNormal;
}

Result<Interpreter::Flow> Interpreter::ExecIf(const Node& node, Scope& scope, std::string& out) {
  for (NodeId id : node.kids) {
    const Node& clause = At(id);
    if (TT_TRY(Eval(clause.kids[0], scope)).truthy()) return ExecBlock(clause.body, scope, out);
  }
  return ExecBlock(node.otherwise, scope, out);
}

Result<std::vector<Value>> Interpreter::LoopItems(const Node& node, Scope& scope) {
  Value iterable = TT_TRY(Eval(node.kids[1], scope));
  std::vector<Value> all;
  if (iterable.is_map()) {
    TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Members(iterable.as_map())));
    for (const auto& [key, value] : iterable.as_map().entries) all.push_back(Value(key));
  } else if (iterable.is_list()) {
    TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Items(iterable.items().size())));
    all = iterable.items();
  } else {
    return TemplateError(node.line, "cannot loop over a value of type " + std::string(iterable.type()));
  }
  if (node.kids[2] == kNoNode) return all;
  std::vector<Value> kept;
  for (Value& item : all) {
    Scope inner{&scope, {}};
    TT_RETURN_IF_ERROR(Assign(At(node.kids[0]), item, inner, true));
    if (TT_TRY(Eval(node.kids[2], inner)).truthy()) kept.push_back(std::move(item));
  }
  return kept;
}

Result<Interpreter::Flow> Interpreter::ExecFor(const Node& node, Scope& outer, std::string& out) {
  Scope scope{&outer, {}};
  std::vector<Value> items = TT_TRY(LoopItems(node, scope));
  bool any = false;
  TT_TRY(ExecRounds(node, items, scope, out, any));
  return any ? Flow::kNormal : TT_TRY(ExecBlock(node.otherwise, scope, out));
}

// As in the reference renderer a round that ends with break or continue leaves no text and does not count as a round for `else`.
Result<Interpreter::Flow> Interpreter::ExecRounds(const Node& node, const std::vector<Value>& items, Scope& scope,
                                                  std::string& out, bool& any) {
  for (size_t i = 0; i < items.size(); ++i) {
    TT_RETURN_IF_ERROR(AtLine(node.line, budget_.Step()));
    if (loop_id_ < program_.names.size()) scope.variables[loop_id_] = Value(LoopVariable(items, i));
    TT_RETURN_IF_ERROR(Assign(At(node.kids[0]), items[i], scope, true));
    size_t start = out.size();
    Flow flow = TT_TRY(ExecBlock(node.body, scope, out));
    if (flow == Flow::kNormal) any = true;
    if (flow != Flow::kNormal) out.resize(start);
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNormal;
}

Result<Value> Interpreter::Capture(const Node& node, Scope& scope) {
  std::string text;
  Flow flow = TT_TRY(ExecBlock(node.body, scope, text));
  if (flow != Flow::kNormal) return TemplateError(node.line, "break or continue leaves a block");
  return Value(std::move(text));
}

Status Interpreter::ExecSet(const Node& node, Scope& scope) {
  Value value = node.kids[1] == kNoNode ? TT_TRY(Capture(node, scope)) : TT_TRY(Eval(node.kids[1], scope));
  return Assign(At(node.kids[0]), value, scope, false);
}

Status Interpreter::Assign(const Node& target, const Value& value, Scope& scope, bool loop) {
  if (target.kind == NodeKind::kIdentifier) {
    scope.variables[target.name_id] = value;
    return Ok{};
  }
  if (target.kind == NodeKind::kTuple) {
    if (!value.is_list() || value.items().size() != target.kids.size()) {
      return TemplateError(target.line, loop ? "the items of the loop do not match its variables"
                                             : "the value does not match the variables to set");
    }
    for (size_t i = 0; i < target.kids.size(); ++i) {
      scope.variables[At(target.kids[i]).name_id] = value.items()[i];
    }
    return Ok{};
  }
  Value object = TT_TRY(Eval(target.kids[0], scope));
  if (!object.is_namespace()) return TemplateError(target.line, "only a namespace has members that can be set");
  if (value.depth() > kMaxNamespaceDepth) {
    return TemplateError(target.line, "a namespace cannot hold a namespace or deeply nested values");
  }
  TT_RETURN_IF_ERROR(AtLine(target.line, budget_.Items(1)));
  object.as_map().Set(target.name, value);
  return Ok{};
}

}  // namespace teetee::model::jinja
