import CHDF5

/// The attributes of a group or dataset: small named values beside the data.
///
///     try group.attributes.write("tokens", to: "units")
///     let units: String = try group.attributes.read("units")
public struct HDF5Attributes: Sendable {
  let owner: Handle

  init(_ owner: Handle) { self.owner = owner }

  /// Writes an attribute in place of one of that name. Text is stored as UTF-8 of variable length
  /// and may not contain the character U+0000. Numbers take up to 64 KB, text has no limit.
  public func write(_ value: some HDF5AttributeValue, to name: String) throws(HDF5Error) {
    Library.enter()
    defer { Library.leave() }
    if try exists(name) {
      try owner.check(H5Adelete(owner.identifier, name), .writeAttribute)
    }
    switch value.attribute {
    case .string(let value): try write(strings: [value], shape: nil, to: name)
    case .strings(let values): try write(strings: values, shape: values.count, to: name)
    case .integer(let value): try write([value], shape: nil, to: name)
    case .integers(let values): try write(values, shape: values.count, to: name)
    case .real(let value): try write([value], shape: nil, to: name)
    case .reals(let values): try write(values, shape: values.count, to: name)
    }
  }

  /// The value of an attribute.
  ///
  /// - Throws: ``HDF5Error/missingAttribute(file:object:name:)`` where there is none, and
  ///   ``HDF5Error/wrongType(file:object:expected:found:)`` where it is of another type.
  public func read<Value: HDF5AttributeValue>(
    _ name: String, as type: Value.Type = Value.self
  ) throws(HDF5Error) -> Value {
    let attribute = try self[name]
    guard let value = Value(attribute) else {
      throw .wrongType(
        file: owner.file, object: "\(owner.object)@\(name)", expected: "\(Value.self)", found: attribute.kind)
    }
    return value
  }

  /// Whether there is an attribute of that name.
  public func exists(_ name: String) throws(HDF5Error) -> Bool {
    Library.enter()
    defer { Library.leave() }
    return try owner.check(H5Aexists(owner.identifier, name), .readAttribute) > 0
  }

  private func write(strings: [String], shape: Int?, to name: String) throws(HDF5Error) {
    guard strings.allSatisfy({ !$0.utf8.contains(0) }) else {
      throw .invalidArgument(
        file: owner.file, object: owner.object, reason: "the text of attribute '\(name)' contains U+0000")
    }
    let type = try variableLengthString()
    let attribute = try create(name, type: type.identifier, shape: shape)
    guard !strings.isEmpty else { return }
    // One allocation for all texts, each ended by a zero byte.
    var offsets: [Int] = []
    var texts: [UInt8] = []
    for string in strings {
      offsets.append(texts.count)
      texts += Array(string.utf8) + [0]
    }
    let status = texts.withUnsafeBufferPointer { texts in
      let pointers = offsets.map { offset in texts.baseAddress.map { $0 + offset } }
      return H5Awrite(attribute.identifier, type.identifier, pointers)
    }
    try owner.check(status, .writeAttribute)
  }

  private func write<Element: HDF5Scalar>(_ values: [Element], shape: Int?, to name: String) throws(HDF5Error) {
    let attribute = try create(name, type: Element.elementType.onDisk, shape: shape)
    guard !values.isEmpty else { return }
    try owner.check(H5Awrite(attribute.identifier, Element.elementType.inMemory, values), .writeAttribute)
  }

  private func create(_ name: String, type: hid_t, shape: Int?) throws(HDF5Error) -> Handle {
    let space = try owner.scratch(
      shape.map { H5Screate_simple(1, [hsize_t($0)], nil) } ?? H5Screate(H5S_SCALAR), .writeAttribute, close: H5Sclose)
    let defaults = gambit_h5_default_properties
    return try owner.scratch(
      H5Acreate2(owner.identifier, name, type, space.identifier, defaults, defaults), .writeAttribute, close: H5Aclose)
  }

  func variableLengthString() throws(HDF5Error) -> Handle {
    let type = try owner.scratch(H5Tcopy(gambit_h5_c_string()), .create, close: H5Tclose)
    try owner.check(H5Tset_size(type.identifier, gambit_h5_variable_length()), .create)
    try owner.check(H5Tset_cset(type.identifier, H5T_CSET_UTF8), .create)
    return type
  }
}
