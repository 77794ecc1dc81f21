import Checkpoints
import Files
import LinearAlgebra
import SparseBundle

/// The weights of a graph in a file beside it, each tensor once.
///
/// Names and orientation are Hugging Face's, norms what values are multiplied with. Where deciding rows leave out inputs
/// and either factor decides, the rows of gate and up projections have changed places as in the bundle: `deciding_proj`
/// and `other_proj` hold them.
struct ExternalWeights {
  struct Tensor {
    let part: ModelTensor
    let name: String
    let shape: [Int]
    let encoding: HandoffWeights
    let offset: Int
    let byteCount: Int
  }

  /// Name of the file.
  static let file = "model.onnx_data"
  /// Runtimes map what begins at a page.
  private static let alignment = 4096

  /// In the order of the file.
  let tensors: [Tensor]
  private let bundle: ModelBundle
  private let weights: HandoffWeights
  private let factorRows: FactorRows?
  /// Whether gate and up projections are stored as deciding and other rows.
  let exchanges: Bool

  /// - Parameter weights: How matrices are encoded: as `f32` or `f16`.
  init(_ bundle: ModelBundle, _ weights: HandoffWeights) {
    let c = bundle.configuration
    let exchanges = bundle.thresholds.layers.contains { $0.input != nil && $0.upDecides != nil }
    var tensors: [Tensor] = []
    var end = 0
    for part in c.modelTensors {
      let encoding = weights.encoding(of: part, in: c)
      let shape = c.shape(of: part) ?? []
      let tensor = Tensor(
        part: part, name: Self.name(of: part, in: c.architecture, exchanges: exchanges), shape: shape,
        encoding: encoding, offset: end + (-end & (Self.alignment - 1)),
        byteCount: shape.reduce(1, *) * encoding.encoding.bytesPerBlock)
      tensors.append(tensor)
      end = tensor.offset + tensor.byteCount
    }
    self.bundle = bundle
    self.weights = weights
    self.tensors = tensors
    factorRows = exchanges ? FactorRows(bundle.thresholds) : nil
    self.exchanges = exchanges
  }

  func name(of part: ModelTensor) -> String {
    Self.name(of: part, in: bundle.configuration.architecture, exchanges: exchanges)
  }

  func isFloat32(_ part: ModelTensor) -> Bool { weights.encoding(of: part, in: bundle.configuration) == .f32 }

  /// Writes the file.
  ///
  /// - Parameter progress: Called with the number of weights written so far.
  /// - Complexity: O(weights) time; memory for a layer, or the embeddings.
  func write(to path: String, progress: (_ weights: Int) -> Void) throws {
    let file = try FileWriter(creating: path)
    var source = TensorSource(bundle.weights, factorRows)
    var written = 0
    for tensor in tensors {
      try file.write([UInt8](repeating: 0, count: tensor.offset - file.count))
      try tensor.encoding.forEachPiece(of: source.values(of: tensor.part)) { try file.write($0) }
      written += tensor.shape.reduce(1, *)
      progress(written)
    }
  }

  private static func name(of part: ModelTensor, in architecture: Architecture, exchanges: Bool) -> String {
    switch part {
    case .layer(let layer, .gate) where exchanges: "model.layers.\(layer).mlp.deciding_proj.weight"
    case .layer(let layer, .up) where exchanges: "model.layers.\(layer).mlp.other_proj.weight"
    default: TensorNaming.huggingFace.name(of: part, in: architecture)
    }
  }
}

extension ONNXTensor {
  /// What lies in the file beside the graph.
  init(_ tensor: ExternalWeights.Tensor) {
    self.init(name: tensor.name, tensor.encoding == .f16 ? .float16 : .float, tensor.shape)
    location = .external
    external = [
      ONNXEntry("location", ExternalWeights.file), ONNXEntry("offset", String(tensor.offset)),
      ONNXEntry("length", String(tensor.byteCount)),
    ]
  }
}
