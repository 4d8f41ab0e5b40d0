// The parsed form of a chat template: nodes in one array that name each other by index, so that neither copying nor destroying
// recurses. Immutable after parsing; threads share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/jinja/value.h"

namespace teetee::model::jinja {

using NodeId = uint32_t;
inline constexpr NodeId kNoNode = UINT32_MAX;

enum class NodeKind : uint8_t {
  // Expressions.          kids
  kLiteral,             // - (literal)
  kIdentifier,          // - (name)
  kList,                // items
  kTuple,               // items
  kDict,                // key, value, key, value ...
  kMember,              // object (name: the member; or literal: an index after a dot)
  kIndex,               // object, index
  kSlice,               // object, start, stop, step; each of the last three may be kNoNode
  kCall,                // callee, arguments ...
  kKeywordArgument,     // value (name); also a macro's parameter with a default
  kSpread,              // list
  kKeywordSpread,       // mapping
  kNot,                 // operand
  kNegate,              // operand
  kPlus,                // operand
  kAnd,                 // left, right
  kOr,                  // left, right
  kBinary,              // left, right (op)
  kFilter,              // operand, arguments ... (name; flag: written with parentheses)
  kTest,                // operand, arguments ... (name; flag: negated)
  kTernary,             // condition, then, else
  kSelect,              // value, condition: `value if condition`
  // Statements.
  kText,                // - (literal)
  kIf,                  // kClause ...; otherwise
  kClause,              // condition; body
  kFor,                 // target, iterable, condition or kNoNode; body, otherwise
  kSet,                 // target, value or kNoNode; body
  kMacro,               // parameters ... (name); body; flag: uses varargs, keyword_flag: uses kwargs
  kFilterBlock,         // kNoNode, arguments ... (name, flag); body
  kBreak,
  kContinue,
};

enum class Op : uint8_t {
  kAdd, kSubtract, kConcatenate, kMultiply, kDivide, kFloorDivide, kModulo, kPower,
  kEqual, kNotEqual, kLess, kGreater, kLessEqual, kGreaterEqual, kIn, kNotIn,
};

struct Node {
  NodeKind kind;
  Op op = Op::kAdd;
  bool flag = false;
  bool keyword_flag = false;
  uint16_t depth = 1;  // of the tree below
  uint32_t line = 0;
  uint32_t name_id = 0;  // of identifiers, parameters and macros: index into Program::names
  std::string name;
  Value literal;
  std::vector<NodeId> kids;
  std::vector<NodeId> body;
  std::vector<NodeId> otherwise;
};

struct Program {
  std::vector<Node> nodes;
  std::vector<std::string> names;  // of variables
  std::vector<NodeId> body;
};

}  // namespace teetee::model::jinja
