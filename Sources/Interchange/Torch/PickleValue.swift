/// What a pickle of tensors is made of. Nothing is called and nothing imported: names of classes are texts.
package enum PickleValue: Equatable {
  case none
  case flag(Bool)
  case integer(Int)
  case text(String)
  /// A class or function, as `module name`.
  case global(String)
  case tuple([PickleValue])
  case list([PickleValue])
  /// Keys and values in turns.
  case dictionary([PickleValue])
  case storage(TorchStorage)
  case tensor(TorchTensor)
  /// An empty dictionary of another class, which tensors carry for hooks.
  case nothingOfUse
}

/// Numbers in a file of their own in the archive.
package struct TorchStorage: Equatable {
  /// `FloatStorage` and so on.
  package var type: String
  /// The file's name below `data/`.
  package var key: String
  package var count: Int
}

/// A view of a storage.
package struct TorchTensor: Equatable {
  package var storage: TorchStorage
  package var offset: Int
  package var shape: [Int]
  package var strides: [Int]
}
