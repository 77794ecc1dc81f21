import Checkpoints

// ONNX's operators by the names of the calculations that the decoder is written in.
extension GraphBuilder {
  // MARK: Constants

  mutating func constant(_ number: Float) -> Value { constant(.float, [], [number].littleEndian) }
  mutating func constant(_ numbers: [Float]) -> Value { constant(.float, [numbers.count], numbers.littleEndian) }

  mutating func constant(_ number: Int) -> Value { constant(.int64, [], [number].littleEndian) }
  mutating func constant(_ numbers: [Int]) -> Value { constant(.int64, [numbers.count], numbers.littleEndian) }

  // MARK: Arithmetic, value by value

  mutating func add(_ a: Value, _ b: Value) -> Value { node(.add, [a, b]) }
  mutating func subtract(_ a: Value, _ b: Value) -> Value { node(.sub, [a, b]) }
  mutating func multiply(_ a: Value, _ b: Value) -> Value { node(.mul, [a, b]) }

  mutating func multiply(_ a: Value, by factor: Float) -> Value {
    factor == 1 ? a : node(.mul, [a, constant(factor)])
  }

  mutating func cast(_ x: Value, to type: ONNXElementType) -> Value {
    node(.cast, [x], [.int("to", type.rawValue)])
  }

  mutating func select(_ condition: Value, _ a: Value, else b: Value) -> Value { node(.where, [condition, a, b]) }

  mutating func silu(_ x: Value) -> Value { multiply(x, node(.sigmoid, [x])) }

  /// GELU by the hyperbolic tangent (Hendrycks and Gimpel 2016).
  mutating func geluTanh(_ x: Value) -> Value {
    let cube = multiply(multiply(multiply(x, x), x), by: 0.044715)
    let curve = node(.tanh, [multiply(add(x, cube), by: 0.7978845608)])
    return multiply(multiply(x, by: 0.5), add(curve, constant(1.0)))
  }

  // MARK: Rows

  /// RMSNorm over the last dimension (Zhang and Sennrich 2019).
  mutating func rmsNorm(_ x: Value, _ weight: Value, epsilon: Float) -> Value {
    let squares = node(.pow, [x, constant(2.0)])
    let mean = node(.reduceMean, [squares, constant([-1])], [.int("keepdims", 1)])
    let root = node(.sqrt, [add(mean, constant(epsilon))])
    return multiply(node(.div, [x, root]), weight)
  }

  mutating func softmax(_ x: Value) -> Value { node(.softmax, [x], [.int("axis", -1)]) }

  /// `x Wᵀ + bias` of rows `x`, `[rows, inputs]`, and a matrix `[outputs, inputs]`.
  mutating func project(_ x: Value, _ matrix: Value, bias: Value? = nil) -> Value {
    node(.gemm, [x, matrix] + (bias.map { [$0] } ?? []), [.int("transB", 1)])
  }

  mutating func rows(_ indices: Value, of matrix: Value) -> Value {
    node(.gather, [matrix, indices], [.int("axis", 0)])
  }

  // MARK: Shapes

  mutating func shape(_ x: Value) -> Value { node(.shape, [x]) }

  mutating func size(_ x: Value, axis: Int) -> Value {
    node(.gather, [shape(x), constant(axis)], [.int("axis", 0)])
  }

  /// - Parameter shape: A size of -1 is what is left.
  mutating func reshape(_ x: Value, _ shape: [Int]) -> Value { node(.reshape, [x, constant(shape)]) }

  /// - Parameter leading: The first sizes, a vector.
  mutating func reshape(_ x: Value, _ leading: Value, _ rest: [Int], as name: String? = nil) -> Value {
    node(.reshape, [x, concatenate([leading, constant(rest)], axis: 0)], as: name)
  }

  mutating func unsqueeze(_ x: Value, _ axes: [Int]) -> Value { node(.unsqueeze, [x, constant(axes)]) }
  mutating func transpose(_ x: Value, _ order: [Int]) -> Value { node(.transpose, [x], [.ints("perm", order)]) }

  mutating func concatenate(_ parts: [Value], axis: Int, as name: String? = nil) -> Value {
    node(.concat, parts, [.int("axis", axis)], as: name)
  }

  /// The two halves along the last dimension.
  mutating func halves(_ x: Value) -> (Value, Value) {
    let parts = nodes(
      .split, [x], [.int("axis", -1), .int("num_outputs", 2)], names: [fresh(.split), fresh(.split)])
    return (parts[0], parts[1])
  }
}

extension [Float] {
  fileprivate var littleEndian: [UInt8] {
    flatMap { Swift.withUnsafeBytes(of: $0.bitPattern.littleEndian, Array<UInt8>.init) }
  }
}

extension [Int] {
  fileprivate var littleEndian: [UInt8] {
    flatMap { Swift.withUnsafeBytes(of: Int64($0).littleEndian, Array<UInt8>.init) }
  }
}
