using System.Security.Cryptography;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Takes a notebook's outputs as safe to show, as long as nothing else writes the file. Errors: contents-not-found, contents-not-readable,
/// invalid-request.
/// </summary>
public sealed class TrustNotebook(ContentsRoot root, TrustedNotebooks trusted)
{
    public ContentsModel Run(ContentsPath path)
    {
        Actor.Does(nameof(TrustNotebook), path.Text);
        using Place place = root.Find(path);
        if (!place.IsFile)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{path}' is a folder; only notebooks are trusted.");
        }

        if (!path.IsNotebook)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{path}' is no notebook; only notebooks are trusted.");
        }

        using (FileStream file = place.OpenFile())
        {
            trusted.Add(Convert.ToHexStringLower(SHA256.HashData(file)));
        }

        return ContentsModels.Of(place);
    }
}
