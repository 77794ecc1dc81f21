import ArgumentParser
import Pipeline
import Reports
import Signatures
import SparseBundle

struct SignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Signs a bundle, so that others can tell whose it is.",
    discussion: """
      Writes model.sig into the bundle: the digests of all its other files, signed with a key of the curve P-256, in the \
      format of the OpenSSF's model-signing. 'gambit verify --trust PUBLIC-KEY' and 'model_signing verify key' check it. \
      A bundle whose files are not what its manifest says is not signed. Make a key with 'openssl ecparam -name prime256v1 \
      -genkey -noout -out KEY.pem', and what others need with 'openssl ec -in KEY.pem -pubout -out KEY.pub'.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(help: ArgumentHelp("The private key, PEM, not encrypted.", valueName: "file"))
  var key: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let key = try SigningKey(path: key)
    try VerifyStage.requireIntact(bundle)
    try FolderSignature.sign(bundle, key)
    let path = bundle + "/" + FolderSignature.fileName
    try options.print(Written(signature: path), text: path)
  }

  private struct Written: Encodable {
    var signature: String
  }
}
