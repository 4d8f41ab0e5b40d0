// Runs a Program over a context. One object per rendering; not thread-safe.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "model/jinja/ast.h"
#include "model/jinja/budget.h"
#include "model/jinja/builtins.h"
#include "model/jinja/lexer.h"

namespace teetee::model::jinja {

inline constexpr unsigned kMaxEvalDepth = 500;  // nested evaluations, macros included: bounds the stack
inline constexpr unsigned kMaxCallDepth = 32;   // macros that call macros

class Interpreter {
 public:
  // program must outlive the interpreter.
  Interpreter(const Program& program, int64_t now_unix, const RenderLimits& limits);

  // Converts the members of the context that the template names.
  Status SetContext(const Json& context);
  Result<std::string> Run();

 private:
  // Variables of a loop, a macro or the whole template. Macros see the variables of their caller, as in the reference renderer.
  struct Scope {
    Scope* parent = nullptr;
    std::unordered_map<uint32_t, Value> variables;
  };
  enum class Flow { kNormal, kBreak, kContinue };
  // Counts while it lives.
  class Counted {
   public:
    explicit Counted(unsigned& count) : count_(++count) {}
    ~Counted() { --count_; }

   private:
    unsigned& count_;
  };

  const Node& At(NodeId id) const { return program_.nodes[id]; }
  uint32_t NameId(std::string_view name) const;  // past the end when the template does not use the name
  Status Enter(const Node& node);

  // Statements append to out.
  Result<Flow> ExecBlock(const std::vector<NodeId>& block, Scope& scope, std::string& out);
  Result<Flow> Exec(const Node& node, NodeId id, Scope& scope, std::string& out);
  Result<Flow> ExecIf(const Node& node, Scope& scope, std::string& out);
  Result<Flow> ExecFor(const Node& node, Scope& scope, std::string& out);
  Result<std::vector<Value>> LoopItems(const Node& node, Scope& scope);
  Result<Flow> ExecRounds(const Node& node, const std::vector<Value>& items, Scope& scope, std::string& out,
                          bool& any);
  Status ExecSet(const Node& node, Scope& scope);
  Status Assign(const Node& target, const Value& value, Scope& scope, bool loop);
  Status Append(const Node& node, const Value& value, std::string& out);
  Result<Value> Capture(const Node& node, Scope& scope);  // the text of a body

  Result<Value> Eval(NodeId id, Scope& scope);
  Result<Value> EvalSwitch(const Node& node, Scope& scope);
  Result<Value> EvalItems(const Node& node, Scope& scope);
  Result<Value> EvalDict(const Node& node, Scope& scope);
  Result<Value> EvalSlice(const Node& node, Scope& scope);
  Result<Value> EvalSign(const Node& node, Scope& scope);
  Result<Value> EvalFilter(const Node& node, const Value& operand, Scope& scope);
  Result<Value> EvalTest(const Node& node, Scope& scope);
  Result<Value> EvalCall(const Node& node, Scope& scope);
  Result<Value> CallFunction(const Node& call, Function function, const Arguments& arguments, Scope& scope);
  Result<Value> CallMacro(const Node& call, const Node& macro, const Arguments& arguments, Scope& scope);
  Status BindParameters(const Node& call, const Node& macro, const Arguments& arguments, Scope& scope);
  Status BindRest(const Node& call, const Node& macro, const Arguments& arguments, const std::vector<bool>& used,
                  Scope& scope);
  Result<Arguments> EvalArguments(const Node& node, Scope& scope);  // kids from 1 on
  Status AddKeyword(const Node& node, Arguments& arguments, std::string name, Value value);
  Result<Value> Lookup(const Node& node, Scope& scope);

  const Program& program_;
  int64_t now_;
  Budget budget_;
  std::vector<Value> predefined_;  // constants and global functions, by name id
  uint32_t loop_id_, varargs_id_, kwargs_id_;
  Scope global_;
  unsigned depth_ = 0;
  unsigned calls_ = 0;
};

}  // namespace teetee::model::jinja
