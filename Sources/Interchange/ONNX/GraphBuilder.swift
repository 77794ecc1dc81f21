import Checkpoints
import Foundation

/// Puts an ONNX graph together, node by node, each behind those whose values it reads.
///
///     var graph = GraphBuilder()
///     let x = graph.input("x", .float, [.named("tokens"), .fixed(4)])
///     let y = graph.add(x, graph.constant(1.0))
///     graph.output(y.name, .float, [.named("tokens"), .fixed(4)])
///
/// Shapes and types are not checked: `onnx.checker` does that in the tests.
struct GraphBuilder {
  /// What a node gives, an input, or what is known beforehand.
  struct Value: Hashable {
    let name: String
  }

  enum Operator: String {
    case abs = "Abs"
    case add = "Add"
    case and = "And"
    case cast = "Cast"
    case concat = "Concat"
    case cos = "Cos"
    case div = "Div"
    case gather = "Gather"
    case gemm = "Gemm"
    case greaterOrEqual = "GreaterOrEqual"
    case less = "Less"
    case matMul = "MatMul"
    case mul = "Mul"
    case not = "Not"
    case or = "Or"
    case pow = "Pow"
    case range = "Range"
    case reduceMean = "ReduceMean"
    case reshape = "Reshape"
    case shape = "Shape"
    case sigmoid = "Sigmoid"
    case sin = "Sin"
    case softmax = "Softmax"
    case split = "Split"
    case sqrt = "Sqrt"
    case sub = "Sub"
    case tanh = "Tanh"
    case transpose = "Transpose"
    case unsqueeze = "Unsqueeze"
    case `where` = "Where"
  }

  enum Attribute {
    case int(String, Int)
    case ints(String, [Int])
  }

  /// The version of ONNX's operators that nodes mean, and the oldest version of the format that has it.
  static let operatorSet: Int64 = 18
  static let formatVersion: Int64 = 8

  /// Where the nodes to come belong to: it stands in front of their names.
  var scope = ""
  private(set) var graph = ONNXGraph()
  private var names: [String: Int] = [:]
  private var constants: [ONNXTensor: Value] = [:]

  // MARK: What comes in, goes out, and is known beforehand

  mutating func input(_ name: String, _ type: ONNXElementType, _ shape: [ONNXShape.Dimension]) -> Value {
    graph.inputs.append(ONNXValueInfo(name, type, shape))
    return Value(name: name)
  }

  /// Says that the value of this name, which some node gives, goes out.
  mutating func output(_ name: String, _ type: ONNXElementType, _ shape: [ONNXShape.Dimension]) {
    graph.outputs.append(ONNXValueInfo(name, type, shape))
  }

  /// A value that is known beforehand. One that is an input as well is what that is unless it is given.
  @discardableResult
  mutating func initializer(_ tensor: ONNXTensor) -> Value {
    graph.initializers.append(tensor)
    return Value(name: tensor.name)
  }

  /// The same numbers are written once. Complexity: O(their count).
  mutating func constant(_ type: ONNXElementType, _ shape: [Int], _ bytes: [UInt8]) -> Value {
    let unnamed = ONNXTensor(name: "", type, shape, bytes: bytes)
    if let value = constants[unnamed] { return value }
    let value = initializer(ONNXTensor(name: "constant.\(constants.count)", type, shape, bytes: bytes))
    constants[unnamed] = value
    return value
  }

  // MARK: Nodes

  /// - Parameter name: Of the value; made of the scope and the operator unless given.
  mutating func node(
    _ operation: Operator, _ inputs: [Value], _ attributes: [Attribute] = [], as name: String? = nil
  ) -> Value {
    nodes(operation, inputs, attributes, names: [name ?? fresh(operation)])[0]
  }

  /// A node with as many values as there are names.
  mutating func nodes(
    _ operation: Operator, _ inputs: [Value], _ attributes: [Attribute] = [], names: [String]
  ) -> [Value] {
    var node = ONNXNode()
    node.name = names[0]
    node.operator = operation.rawValue
    node.inputs = inputs.map(\.name)
    node.outputs = names
    node.attributes = attributes.map(ONNXAttribute.init)
    graph.nodes.append(node)
    return names.map(Value.init)
  }

  /// A name that no other value has.
  mutating func fresh(_ operation: Operator) -> String {
    let name = "\(scope)/\(operation.rawValue)"
    let count = names[name, default: 0]
    names[name] = count + 1
    return count == 0 ? name : "\(name).\(count)"
  }

  /// - Parameters:
  ///   - name: Of the graph.
  ///   - metadata: What the file says of itself.
  func model(name: String, metadata: [(key: String, value: String)]) -> ONNXModel {
    var operators = ONNXOperatorSet()
    operators.domain = ""
    operators.version = Self.operatorSet
    var model = ONNXModel()
    model.irVersion = Self.formatVersion
    model.producerName = "gambit"
    model.graph = graph
    model.graph.name = name
    model.operatorSets = [operators]
    model.metadata = metadata.map { ONNXEntry($0.key, $0.value) }
    return model
  }
}

// MARK: Messages

extension ONNXTensor {
  /// One without contents.
  init(name: String, _ type: ONNXElementType, _ shape: [Int]) {
    self.init()
    self.name = name
    elementType = type
    dimensions = shape.map(Int64.init)
  }

  /// - Parameter bytes: Row-major, little-endian.
  init(name: String, _ type: ONNXElementType, _ shape: [Int], bytes: some Sequence<UInt8>) {
    self.init(name: name, type, shape)
    self.bytes = Data(bytes)
  }
}

extension ONNXEntry {
  init(_ key: String, _ value: String) {
    self.init()
    self.key = key
    self.value = value
  }
}

extension ONNXValueInfo {
  fileprivate init(_ name: String, _ type: ONNXElementType, _ shape: [ONNXShape.Dimension]) {
    self.init()
    self.name = name
    self.type.tensor.elementType = type
    self.type.tensor.shape.dimensions = shape
  }
}

extension ONNXShape.Dimension {
  static func fixed(_ size: Int) -> Self {
    var dimension = Self()
    dimension.fixed = Int64(size)
    return dimension
  }

  static func named(_ name: String) -> Self {
    var dimension = Self()
    dimension.named = name
    return dimension
  }
}

extension ONNXAttribute {
  fileprivate init(_ attribute: GraphBuilder.Attribute) {
    self.init()
    switch attribute {
    case .int(let name, let value):
      self.name = name
      kind = .int
      int = Int64(value)
    case .ints(let name, let values):
      self.name = name
      kind = .ints
      ints = values.map(Int64.init)
    }
  }
}
