using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public class JupyterSignerTests
{
    // Made by jupyter_client 7.4.9: Session(key=...).sign([header, parent, metadata, content]).
    private const string Key = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
    private const string Vector = "47a4a78389dd1a40115ded52e4e83e401bfeb7a7cd2cff8e53225a892eaefd15";
    private static readonly byte[] Header = "{\"msg_id\":\"m1\",\"msg_type\":\"execute_request\"}"u8.ToArray();
    private static readonly byte[] Content = "{\"code\":\"print(1)\"}"u8.ToArray();

    [Fact]
    public void The_signature_is_the_one_jupyter_client_makes()
    {
        using var signer = new JupyterSigner(Encoding.UTF8.GetBytes(Key));
        var signature = new byte[JupyterSigner.SignatureLength];

        int length = signer.Sign(Header, "{}"u8, "{}"u8, Content, signature);

        Assert.Equal(Vector, Encoding.ASCII.GetString(signature, 0, length));
        Assert.True(signer.Verify(signature, Header, "{}"u8, "{}"u8, Content));
    }

    [Fact]
    public void A_changed_frame_a_changed_signature_or_none_does_not_verify()
    {
        using var signer = new JupyterSigner(Encoding.UTF8.GetBytes(Key));
        byte[] signature = Encoding.ASCII.GetBytes(Vector);
        byte[] wrong = Encoding.ASCII.GetBytes(Vector.Replace('4', '5'));

        Assert.False(signer.Verify(signature, Header, "{}"u8, "{}"u8, "{\"code\":\"print(2)\"}"u8));
        Assert.False(signer.Verify(wrong, Header, "{}"u8, "{}"u8, Content));
        Assert.False(signer.Verify([], Header, "{}"u8, "{}"u8, Content));
    }

    [Fact]
    public void Without_a_key_nothing_is_signed_and_everything_is_accepted()
    {
        using var signer = new JupyterSigner([]);

        Assert.Equal(0, signer.Sign(Header, "{}"u8, "{}"u8, Content, []));
        Assert.True(signer.Verify([], Header, "{}"u8, "{}"u8, Content));
    }
}
