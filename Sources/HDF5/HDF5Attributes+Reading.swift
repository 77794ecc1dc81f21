import CHDF5

extension HDF5Attributes {
  /// Any attribute, whatever its kind. Integers and reals of all sizes that fit are widened; text may
  /// be of fixed or variable length.
  public subscript(name: String) -> HDF5Attribute {
    get throws(HDF5Error) {
      Library.enter()
      defer { Library.leave() }
      guard try exists(name) else {
        throw .missingAttribute(file: owner.file, object: owner.object, name: name)
      }
      let attribute = try owner.scratch(
        H5Aopen(owner.identifier, name, gambit_h5_default_properties), .readAttribute, close: H5Aclose)
      let type = try owner.scratch(H5Aget_type(attribute.identifier), .readAttribute, close: H5Tclose)
      let (count, isList) = try count(of: attribute, type: type, name: name)
      switch H5Tget_class(type.identifier) {
      case H5T_STRING:
        let values = try strings(of: attribute, type: type, count: count)
        return isList ? .strings(values) : .string(values.first ?? "")
      case H5T_INTEGER where H5Tget_size(type.identifier) < 8 || H5Tget_sign(type.identifier) == H5T_SGN_2:
        let values: [Int64] = try numbers(of: attribute, count: count, zero: 0)
        return isList ? .integers(values) : .integer(values.first ?? 0)
      case H5T_FLOAT where H5Tget_size(type.identifier) <= 8:
        let values: [Double] = try numbers(of: attribute, count: count, zero: 0)
        return isList ? .reals(values) : .real(values.first ?? 0)
      default:
        throw .wrongType(
          file: owner.file, object: "\(owner.object)@\(name)", expected: "text or numbers", found: "another kind")
      }
    }
  }

  /// In alphabetical order.
  func names() throws(HDF5Error) -> [String] {
    Library.enter()
    defer { Library.leave() }
    var names: [String] = []
    let collect: H5A_operator2_t = { _, name, _, names in
      guard let name, let names else { return -1 }
      names.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
      return 0
    }
    var index: hsize_t = 0
    let status = withUnsafeMutablePointer(to: &names) {
      H5Aiterate2(owner.identifier, H5_INDEX_NAME, H5_ITER_INC, &index, collect, $0)
    }
    try owner.check(status, .readAttribute)
    return names
  }

  /// The number of elements, which the file must be large enough to hold, and whether they are a list.
  private func count(of attribute: Handle, type: Handle, name: String) throws(HDF5Error) -> (Int, isList: Bool) {
    let space = try owner.scratch(H5Aget_space(attribute.identifier), .readAttribute, close: H5Sclose)
    let shape = try HDF5Dataset.shape(of: space)
    guard shape.count <= 1 else {
      throw .wrongType(
        file: owner.file, object: "\(owner.object)@\(name)", expected: "one value or a list",
        found: "an array of shape \(shape)")
    }
    let fileSize = try owner.fileSize(.readAttribute)
    let size = max(1, H5Tget_size(type.identifier))
    let count = shape.first ?? 1
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, bytes <= Int(clamping: fileSize) else {
      throw .implausibleSize(
        file: owner.file, object: "\(owner.object)@\(name)", bytes: overflow ? nil : bytes,
        stored: Int(clamping: fileSize))
    }
    return (count, !shape.isEmpty)
  }

  private func numbers<Element: HDF5Scalar>(
    of attribute: Handle, count: Int, zero: Element
  ) throws(HDF5Error) -> [Element] {
    var values = [Element](repeating: zero, count: count)
    guard count > 0 else { return [] }
    try owner.check(H5Aread(attribute.identifier, Element.elementType.inMemory, &values), .readAttribute)
    return values
  }

  private func strings(of attribute: Handle, type: Handle, count: Int) throws(HDF5Error) -> [String] {
    guard count > 0 else { return [] }
    if try owner.check(H5Tis_variable_str(type.identifier), .readAttribute) == 0 {
      return try fixedLengthStrings(of: attribute, type: type, count: count)
    }
    let memoryType = try owner.scratch(H5Tcopy(type.identifier), .readAttribute, close: H5Tclose)
    let space = try owner.scratch(H5Aget_space(attribute.identifier), .readAttribute, close: H5Sclose)
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    let status = H5Aread(attribute.identifier, memoryType.identifier, &pointers)
    let messages = status < 0 ? owner.failure(.readAttribute) : nil
    // Where reading failed half-way, what was read must still be given back.
    defer {
      H5Dvlen_reclaim(memoryType.identifier, space.identifier, gambit_h5_default_properties, &pointers)
    }
    if let messages { throw messages }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }

  /// Texts of one length, filled up with zeros or spaces, as numpy and Fortran write them.
  private func fixedLengthStrings(of attribute: Handle, type: Handle, count: Int) throws(HDF5Error) -> [String] {
    let size = H5Tget_size(type.identifier)
    var bytes = [UInt8](repeating: 0, count: count * size)
    try owner.check(H5Aread(attribute.identifier, type.identifier, &bytes), .readAttribute)
    let isPaddedBySpaces = H5Tget_strpad(type.identifier) == H5T_STR_SPACEPAD
    return (0..<count).map { index in
      var text = bytes[(index * size)..<((index + 1) * size)].prefix { $0 != 0 }
      while isPaddedBySpaces, text.last == UInt8(ascii: " ") { text.removeLast() }
      return String(decoding: text, as: UTF8.self)
    }
  }
}
