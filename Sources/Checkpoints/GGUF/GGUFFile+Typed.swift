/// Metadata by type: a value of another type than expected is an error, not an absence.
extension GGUFFile {
  func integer(_ key: String) throws(CheckpointError) -> Int? {
    try typed(key, as: "an integer") { $0.integer }
  }

  func string(_ key: String) throws(CheckpointError) -> String? {
    try typed(key, as: "a string") { if case .string(let text) = $0 { text } else { nil } }
  }

  func float(_ key: String) throws(CheckpointError) -> Double? {
    try typed(key, as: "a floating-point number") { if case .float(let number) = $0 { number } else { nil } }
  }

  func bool(_ key: String) throws(CheckpointError) -> Bool? {
    try typed(key, as: "a boolean") { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  func strings(_ key: String) throws(CheckpointError) -> [String]? {
    try typed(key, as: "an array of strings") { if case .stringArray(let texts) = $0 { texts } else { nil } }
  }

  func integers(_ key: String) throws(CheckpointError) -> [Int]? {
    try typed(key, as: "an array of integers") { $0.integers }
  }

  func floats(_ key: String) throws(CheckpointError) -> [Double]? {
    try typed(key, as: "an array of floating-point numbers") {
      if case .floatArray(let numbers) = $0 { numbers } else { nil }
    }
  }

  func required<T>(_ key: String, _ value: T?) throws(CheckpointError) -> T {
    guard let value else { throw .missing(path: path, item: "metadata '\(key)'") }
    return value
  }

  private func typed<T>(
    _ key: String, as type: String, _ convert: (GGUFValue) -> T?
  ) throws(CheckpointError) -> T? {
    guard let value = self[key] else { return nil }
    guard let converted = convert(value) else { throw .malformed(path: path, problem: "'\(key)' is not \(type)") }
    return converted
  }
}
